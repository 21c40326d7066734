import logging

import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments.common import evaluating


def test_the_seed_of_the_best_checkpoint_differs_from_that_of_its_selection():
    selection = {"metric": "fid", "seed": 0, "samples": 300}
    for seed, expected in ((None, (0, {})), (3, (3, {}))):
        assert evaluating.seed_and_selection(None, seed) == expected
    for seed, expected in ((None, 1), (3, 3)):
        assert evaluating.seed_and_selection(selection, seed) == (expected, {"selected_by": selection})
    with pytest.raises(ganlib.UserError, match="--seed=0 generated the images .*: pass another --seed"):
        evaluating.seed_and_selection(selection, 0)


def test_parameters_are_readable():
    parameters = {"k": 3, "images": {"real": 1297, "generated": 2000}}
    assert evaluating.described(parameters) == "k 3, 1297 real and 2000 generated images"
    assert evaluating.described({"splits": 10}) == "splits 10"


@pytest.mark.parametrize(("suffix", "warned"), [("png", False), ("jpg", True), ("JPEG", True)])
def test_jpeg_files_are_reported(tmp_path, caplog, suffix, warned):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a" / f"1.{suffix}")
    with caplog.at_level(logging.WARNING):
        evaluating.warn_about_jpeg(f"folder:{tmp_path}")
    assert ("has JPEG files, whose compression changes the FID" in caplog.text) == warned
