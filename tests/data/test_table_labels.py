import json

import pytest

import ganlib
from ganlib import data
from ganlib.data import table_labels
from tests.data.test_archives import zip_of
from tests.data.test_listing import write_images


def written(root, content, name="labels.csv", count=4):
    """Writes images 0.png, 1.png, ... into ``images`` and a table next to it."""
    write_images(root, *(f"images/{number}.png" for number in range(count)))
    (root / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def names_of(root, split="train", **choice):
    """Returns the name of the class of each image, by the number of the image."""
    source = data.open(f"folder:{root}", split, **choice)
    if source.labels is None:
        return {}
    return {int(image[0, 0, 0]): source.class_names[label] for image, label in zip(source.images, source.labels, strict=True)}


EXPECTED = {0: "cat", 1: "dog", 2: "cat", 3: "dog"}
LABELS = list(EXPECTED.values())
CSV = "file,label\n" + "".join(f"{number}.png,{label}\n" for number, label in EXPECTED.items())


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (CSV, "labels.csv"), (CSV, "metadata.csv"), (CSV, "train.csv"), (CSV.replace(",", "\t"), "labels.tsv"),
        (CSV.replace(",", ";"), "a.csv"), (CSV.replace("file,label", "Image ID,Class").replace(".png", ""), "a.csv"),
        (CSV.removeprefix("file,label\n"), "a.csv"), (CSV.replace("file,label", "image,type of animal"), "a.csv"),
        (CSV.replace("\n", ",5\n").replace("label,5", "label,age"), "a.csv"), (CSV.replace(",", " "), "list.txt"),
        (CSV.replace("file,label", "class,label"), "a.csv"),
        ({"labels": [[f"images/{number}.png", label] for number, label in EXPECTED.items()]}, "dataset.json"),
        ({f"images/{number}.png": label for number, label in EXPECTED.items()}, "labels.json"),
        ("".join(json.dumps({"file_name": f"{k}.png", "label": v}) + "\n" for k, v in EXPECTED.items()), "metadata.jsonl"),
    ],
)  # fmt: skip
def test_a_table_gives_the_labels(tmp_path, content, name):
    assert names_of(written(tmp_path, content, name)) == EXPECTED
    assert names_of(zip_of(tmp_path)) == EXPECTED


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "10", "9"], ("9", "10")), (["1.0", "0.0", "2", "01"], ("0", "1", "2")), ([3, 1.0, 3, 1], ("1", "3")),
        (["9", "cat", "10", "dog"], ("10", "9", "cat", "dog")),
        (["cat, black", "cat, white"] * 2, ("cat, black", "cat, white")),
        (["1_0", "10", "1e1", "10"], ("10", "1_0", "1e1")), (["0e1", "0e2"] * 2, ("0e1", "0e2")),
        (["1.000000000000000000e+00", "2.0e+00"] * 2, ("1", "2")),
    ],
)  # fmt: skip
def test_the_order_of_the_classes(tmp_path, labels, expected):
    written(tmp_path, [{"file": f"{number}.png", "label": label} for number, label in enumerate(labels)], "labels.json")
    assert data.open(f"folder:{tmp_path}").class_names == expected


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (CSV + "0.png,dog\n", "labels.csv", "labels 'images/0.png' both 'cat' and 'dog': keep one of the rows"),
        (CSV + "0.png,\n", "labels.csv", "labels 'images/0.png' both 'cat' and '': keep one of the rows"),
        (CSV.replace("1.png,dog", "1.png,cat|dog"), "labels.csv", "the label 'cat|dog' in line 3 of .* has several classes"),
        (CSV.replace("1.png,dog", '1.png,"[cat]"'), "labels.csv", "the label '.cat.' in line 3 of .* has several classes"),
        (CSV.replace("1.png,dog", "1.png,cat dog"), "labels.csv", "the label 'cat dog' of .* has several classes"),
        (CSV.replace("1.png,dog", '1.png,"cat,dog"'), "labels.csv", "the label 'cat,dog' of .* has several classes"),
        (CSV.replace("1.png,dog", '1.png,"fox, dog"'), "labels.csv", "the label 'fox, dog' of .* has several classes"),
        (CSV.replace("png", "png/x.png"), "labels.csv", "no column of .* names an image of the folder"),
        (CSV.replace("1.png,dog", "1.png,dog,black"), "labels.csv", "line 3 of .* has 3 columns instead of 2"),
        (CSV.replace("1.png,dog", "1.png,Dog"), "labels.csv", "'dog' and 'Dog' differ only in case|'Dog' and 'dog' differ"),
        (
            CSV.replace("cat", "1").replace("dog", "-1"),
            "labels.csv",
            "the label '-1' in the column 'label' of .* is not a class",
        ),
        (CSV.replace("cat", "0.5").replace("dog", "1"), "labels.csv", "the label '0.5' in the column 'label'"),
        (
            CSV.replace(".png", ".jpg"),
            "labels.csv",
            "no column of .* names an image of the folder, the first row is 0.jpg, cat",
        ),
        ("file,label,class\n0.png,cat,1\n", "labels.csv", "several columns of .* may hold labels: set label_column to one of"),
        (
            "file,label,split\n0.png,cat,train\n1.png,dog,\n",
            "labels.csv",
            "the column 'split' of .* has '' next to",
        ),
        ({"labels": [["0.png", [0, 1]]]}, "dataset.json", "the label 0, 1 in entry 1 of .* is a vector or a list"),
    ],
)
def test_tables_that_are_wrong_are_refused(tmp_path, content, name, message):
    with pytest.raises(ganlib.UserError, match=message):
        names_of(written(tmp_path, content, name))


@pytest.mark.parametrize("folders", [("",), ("cat/", "dog/")])
@pytest.mark.parametrize(("name", "content"), [("n.json", '{"0": "cat", "1": "dog"}'), ("n.csv", "id,name\n0,cat\n1,dog\n")])
def test_a_table_of_class_names_does_not_label_images(tmp_path, folders, name, content):
    write_images(tmp_path, *(f"{folder}{number}.png" for folder in folders for number in range(6)))
    (tmp_path / name).write_text(content)
    with pytest.raises(ganlib.UserError, match="may label a few of the images, such as '0', or name classes by their numbers"):
        data.open(f"folder:{tmp_path}")
    assert data.open(f"folder:{tmp_path}", label_file="none").num_examples == 6 * len(folders)


def test_a_column_that_is_not_called_like_labels_is_said(tmp_path, caplog):
    write_images(tmp_path, "0.png", "1.png")
    (tmp_path / "a.csv").write_text("file,camera\n0.png,a\n1.png,b\n")
    assert data.open(f"folder:{tmp_path}").class_names == ("a", "b")
    assert "the labels come from the column 'camera' of" in caplog.text


@pytest.mark.parametrize("missing", ["NA", "None", "null", "?"])
def test_names_of_missing_values_are_no_silent_classes(tmp_path, caplog, missing):
    write_images(tmp_path, "0.png", "1.png", "2.png")
    (tmp_path / "a.csv").write_text(f"file,label\n0.png,1\n1.png,10\n2.png,{missing}\n")
    with pytest.raises(ganlib.UserError, match="next to integers: leave the label of an image without a class empty"):
        data.open(f"folder:{tmp_path}")
    (tmp_path / "a.csv").write_text(f"file,label\n0.png,cat\n1.png,dog\n2.png,{missing}\n")
    assert missing in data.open(f"folder:{tmp_path}").class_names
    assert f"{missing!r} in the column 'label' of" in caplog.text


@pytest.mark.parametrize("label", ["a photo of {}", "{}"])
def test_a_column_with_a_label_of_its_own_per_image_holds_no_classes(tmp_path, label):
    content = "file,label\n" + "".join(f"{number}.png,{label.format(number)}\n" for number in range(30))
    with pytest.raises(
        ganlib.UserError, match="'label' of .* has 30 different labels for 30 images, so it does not hold classes"
    ):
        names_of(written(tmp_path, content, count=30))


def test_images_without_a_label_are_kept_apart_and_counted(tmp_path, caplog):
    written(tmp_path, "file,label\n1.png,cat\n0.png,dog\n3.png,\n9.png,cat\n")
    source = data.open(f"folder:{tmp_path}")
    assert (source.labels.tolist(), source.images[:, 0, 0, 0].tolist()) == ([1, 0], [0, 1])
    assert source.all_images.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert source.all_images.labels is None
    said = [record.getMessage().removeprefix(str(tmp_path)) for record in caplog.records]
    assert said == [
        "/labels.csv: 1 of 4 rows name no image, the first: 9.png",
        ": 2 of 4 images have no label and are used only without labels; 1 of them have no row in labels.csv",
    ]


def test_a_table_without_labels_says_that_folders_are_not_classes(tmp_path, caplog):
    write_images(tmp_path, "00000/0.png", "00001/1.png")
    (tmp_path / "dataset.json").write_text('{"labels": null}')
    assert data.open(f"folder:{tmp_path}").labels is None
    assert "the labels come from dataset.json, so the folders are not classes" in caplog.text


def test_other_json_files_are_passed_over(tmp_path):
    write_images(tmp_path, "0.png", "1.png")
    for number, content in enumerate(({}, {"license": "ours"}, {"images": [{"id": 1}], "annotations": []}, [1, 2], "words")):
        (tmp_path / f"{number}.meta.json").write_text(json.dumps(content))
    assert data.open(f"folder:{tmp_path}").num_examples == 2


def test_other_tables_are_passed_over(tmp_path, caplog):
    write_images(tmp_path, "cat/0.png", "dog/1.png")
    (tmp_path / "colors.csv").write_text("name,hex\nred,ff0000\n")
    (tmp_path / "metadata.csv").write_text("file_name,text\ncat/0.png,a cat\ndog/1.png,a dog\n")
    (tmp_path / "sizes.csv").write_text("file_name,width,height\ncat/0.png,8,8\ndog/1.png,8,8\n")
    (tmp_path / "cat/0.json").write_text('{"cat/0.png": "dog"}')
    assert names_of(tmp_path) == {0: "cat", 1: "dog"}
    assert "passed over 4 files that are not images: 3 .csv, 1 .json" in caplog.text
    assert "sizes.csv names images, but which column holds labels is unknown: set label_column to one of width, height" in (
        caplog.text
    )


def test_the_table_and_its_columns_can_be_named(tmp_path):
    content = "number,old,kind\n" + "".join(f"{number},x,{label}\n" for number, label in EXPECTED.items())
    written(tmp_path, content, "a.csv")
    (tmp_path / "b.csv").write_text(CSV.replace("cat", "fox"))
    assert names_of(tmp_path, label_file="a.csv", label_column="kind") == EXPECTED
    assert names_of(tmp_path, label_file=str(tmp_path / "a.csv"), label_column="kind", file_column="number") == EXPECTED
    assert set(names_of(tmp_path, label_file="b.csv").values()) == {"fox", "dog"}
    assert names_of(tmp_path, label_file="none") == {}
    for choice, message in (
        ({"label_file": "c.csv"}, "no table at 'c.csv', neither in '.*' nor in the current folder: check label_file"),
        ({"label_file": "a.csv", "label_column": "knd"}, "has no column 'knd': .* Did you mean 'kind'"),
        ({"label_file": "a.csv", "label_column": "kind", "file_column": "nr"}, "has no column 'nr': set file_column to one of"),
        (
            {"label_file": "a.csv", "label_column": "kind", "file_column": "old"},
            "no cell of the column 'old' of .* names an image",
        ),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            names_of(tmp_path, **choice)


def test_a_column_without_a_table_is_refused(tmp_path):
    write_images(tmp_path, "cat/0.png", "dog/1.png")
    with pytest.raises(ganlib.UserError, match="contains no table that names its images: set label_file to its path"):
        names_of(tmp_path, label_column="kind")


def test_two_tables_with_labels_are_refused(tmp_path):
    written(tmp_path, CSV, "a.csv")
    (tmp_path / "b.csv").write_text(CSV)
    with pytest.raises(ganlib.UserError, match="several tables name images: set label_file to one of 'a.csv', 'b.csv'"):
        names_of(tmp_path)


@pytest.mark.parametrize("layout", ["one table", "one table per split", "a column", "tables at the top", "tables as splits"])
def test_splits_with_tables(tmp_path, layout):
    train, test = [(0, "cat"), (1, "dog")], [(2, "dog"), (3, "cat")]
    folders = ("images", "images") if layout in ("a column", "tables as splits") else ("train", "test")
    parts = tuple(zip(folders, ("train", "test"), (train, test), strict=True))
    write_images(tmp_path, *(f"{folder}/{number}.png" for folder, _, rows in parts for number, _ in rows))
    if layout in ("one table", "a column"):
        header = "file,label,split\n" if layout == "a column" else "file,label\n"
        lines = [
            f"{folder}/{number}.png,{label}{f',{split}' * (layout == 'a column')}\n"
            for folder, split, rows in parts
            for number, label in rows
        ]
        (tmp_path / "labels.csv").write_text(header + "".join(lines))
    for folder, split, rows in parts if "tables" in layout or "per split" in layout else ():
        place = tmp_path / folder / "labels.csv" if layout == "one table per split" else tmp_path / f"{split}.csv"
        place.write_text("file,label\n" + "".join(f"{number}.png,{label}\n" for number, label in rows))
    assert names_of(tmp_path) == dict(train)
    assert names_of(tmp_path, "test") == dict(test)
    with pytest.raises(ganlib.UserError, match="has no split 'val': choose one of test, train"):
        names_of(tmp_path, "val")


def test_a_class_only_of_the_test_split_is_refused(tmp_path):
    write_images(tmp_path, "train/0.png", "train/1.png", "test/2.png")
    (tmp_path / "labels.csv").write_text("file,label\n0.png,cat\n1.png,dog\n2.png,fox\n")
    with pytest.raises(
        ganlib.UserError, match="test/2.png' has the label 'fox', which no image of the train split has: use one"
    ):
        names_of(tmp_path, "test")


def test_a_table_that_contradicts_the_folders_of_splits_is_refused(tmp_path):
    write_images(tmp_path, "train/0.png", "test/1.png")
    (tmp_path / "labels.csv").write_text("file,label,split\n0.png,cat,train\n1.png,dog,train\n")
    with pytest.raises(
        ganlib.UserError, match="test/1.png' is in another split in 'labels.csv': move it, or correct the table"
    ):
        names_of(tmp_path)


def test_the_fingerprint_depends_on_the_labels_and_on_the_images_without_labels(tmp_path):
    def fingerprint():
        return data.open(f"folder:{tmp_path}").fingerprint

    contents = (CSV, CSV.replace("0.png,cat", "0.png,dog"), CSV.replace("3.png,dog", "3.png,"))
    fingerprints = [fingerprint() for content in contents if written(tmp_path, content)]
    write_images(tmp_path, "images/3.png")
    assert len({*fingerprints, fingerprint()}) == 4


def test_the_names_of_classes_are_sorted_once():
    assert table_labels.class_names(["2", "10", "2"]) == ("2", "10")
    assert table_labels.class_names([]) == ()
