import base64

import numpy as np
import pytest

pytest.importorskip("orjson")

from ganlib.serving import inputs

GENERATE = {"latents": {"shape": ["batch", 2], "dtype": "float32"}, "labels": {"shape": ["batch"], "dtype": "int64"}}
SEED = {name: {"shape": [], "dtype": "int64"} for name in ("seed", "count")} | {"labels": GENERATE["labels"]}
CLASSIFY = {"images": {"shape": ["batch", 2, 2, 1], "dtype": "uint8"}}
FILES = {"image_bytes": {"shape": ["batch"], "dtype": "string"}}


def arrays(body, specs, **options):
    return inputs.arrays(inputs.parse(body), specs, max_rows=4, **options)


def test_rows_and_columns_give_the_same_arrays():
    rows = arrays('{"instances": [{"latents": [1, 2.5], "labels": 3}, {"latents": [0, 1], "labels": 4}]}', GENERATE)
    columns = arrays('{"inputs": {"latents": [[1, 2.5], [0, 1]], "labels": [3, 4]}}', GENERATE)
    for name in GENERATE:
        np.testing.assert_array_equal(rows[name], columns[name])
        assert rows[name].dtype == GENERATE[name]["dtype"]
    single = arrays('{"instances": [[[[1], [2]], [[3], [255]]]]}', CLASSIFY)
    np.testing.assert_array_equal(single["images"][0, ..., 0], [[1, 2], [3, 255]])


def test_scalars_and_one_label_for_all():
    result = arrays('{"inputs": {"seed": 7, "count": 3, "labels": [2]}}', SEED, choices=10)
    assert (int(result["seed"]), int(result["count"]), result["labels"].tolist()) == (7, 3, [2])


def test_files_in_base64():
    text = base64.b64encode(b"any").decode()
    for body in (f'{{"instances": [{{"b64": "{text}"}}]}}', f'{{"inputs": {{"image_bytes": ["{text}"]}}}}'):
        assert arrays(body, FILES)["image_bytes"].tolist() == [b"any"]


BAD = {
    "no JSON": ("{", GENERATE, "not JSON"),
    "deep": ("[" * 100_000, GENERATE, "not JSON"),
    "a list": ("[]", GENERATE, "must be a JSON object"),
    "nothing": ("{}", GENERATE, "pass either 'instances'"),
    "both": ('{"instances": [1], "inputs": 1}', GENERATE, "pass either 'instances'"),
    "empty": ('{"instances": []}', GENERATE, "non-empty"),
    "other names": ('{"inputs": {"latents": [[1, 2]], "x": 1}}', GENERATE, "the inputs must be latents, labels, got"),
    "an instance without labels": ('{"instances": [{"latents": [1, 2]}]}', GENERATE, "every instance must be an object with"),
    "strings": ('{"inputs": {"latents": [["a", "b"]], "labels": [1]}}', GENERATE, "'latents' must be numbers"),
    "null": ('{"inputs": {"latents": [[null, 1]], "labels": [1]}}', GENERATE, "'latents' must be numbers"),
    "floats for labels": ('{"inputs": {"latents": [[1, 2]], "labels": [1.5]}}', GENERATE, "'labels' must be integers"),
    "ragged": ('{"inputs": {"latents": [[1, 2], [1]], "labels": [1, 2]}}', GENERATE, "rows of different sizes"),
    "shape": ('{"inputs": {"latents": [[1, 2, 3]], "labels": [1]}}', GENERATE, "must have shape"),
    "too large": ('{"inputs": {"latents": [[1e300, 2]], "labels": [1]}}', GENERATE, "'latents' must be float32, from"),
    "huge integer": ('{"inputs": {"latents": [[1, 2]], "labels": [99999999999999999999999]}}', GENERATE, "'labels' must be"),
    "not a byte": ('{"inputs": [[[[1], [2]], [[3], [256]]]]}', CLASSIFY, "'images' must be uint8, from 0 to 255"),
    "rows": ('{"inputs": {"latents": [[1, 2]], "labels": [1, 2]}}', GENERATE, "the same number of rows"),
    "more rows": ('{"inputs": {"latents": [[1, 2], [3, 4]], "labels": [1]}}', GENERATE, "the same number of rows"),
    "too many rows": ('{"inputs": {"latents": [[1,2],[1,2],[1,2],[1,2],[1,2]],"labels":[1,1,1,1,1]}}', GENERATE, "1 to 4 rows"),
    "label": ('{"inputs": {"latents": [[1, 2]], "labels": [10]}}', GENERATE, "labels must be from 0 to 9"),
    "count": ('{"inputs": {"seed": 1, "count": 5, "labels": [1]}}', SEED, "count must be from 1 to 4, got 5"),
    "seeds by row": ('{"instances": [{"seed": 1, "count": 5, "labels": 1}]}', SEED, "takes its inputs by column"),
    "labels for no count": ('{"inputs": {"seed": 1, "count": 3, "labels": [1, 2]}}', SEED, "labels must have length 1 or 3"),
    "no base64": ('{"inputs": {"image_bytes": ["?"]}}', FILES, "is not base64"),
    "no string": ('{"inputs": {"image_bytes": [3]}}', FILES, "must be base64 strings"),
    "many files": ('{"inputs": {"image_bytes": ["", "", "", "", ""]}}', FILES, "1 to 4 rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_invalid_request_is_reported_in_one_line(case):
    body, specs, message = BAD[case]
    with pytest.raises(inputs.BadRequest, match=message):
        arrays(body, specs, choices=10)
