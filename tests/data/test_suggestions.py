import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import partition, suggestions

NAMES = ("cat", "dog")


def arrays(labels=None):
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 1), np.uint8)
    return data.from_arrays("mine", images, labels, NAMES if labels is not None else ())


def folder(path):
    for index in range(3):
        (path / NAMES[index % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), index, np.uint8)).save(path / NAMES[index % 2] / f"{index}.png")
    return data.open(f"folder:{path}")


def written(path, source, indices, labels):
    suggestions.write(
        path, suggestions.names_of(source, indices), ["cat"] * len(indices), [0.5] * len(indices), [1] * len(indices)
    )
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "label": label} for row, label in zip(rows, labels, strict=True))
    return path


def test_labels_that_are_filled_in_belong_to_the_suggested_images(tmp_path):
    source = arrays()
    added = suggestions.read([written(tmp_path / "a.csv", source, [4, 1, 2], ["dog", "cat", ""])], source, NAMES)
    assert added.indices.tolist() == [1, 2, 4], "sorted, so that the order of the rows makes no difference"
    assert added.labels.tolist() == [0, -1, 1]


def test_images_of_a_folder_are_named_by_their_files(tmp_path):
    source = folder(tmp_path / "images")
    assert source.files is not None
    assert suggestions.names_of(source, [1]) == [source.files[1]]
    table = written(tmp_path / "a.csv", source, [2, 1], ["dog", "cat"])
    added = suggestions.read([table], source, NAMES)
    assert (added.indices.tolist(), added.labels.tolist()) == ([1, 2], [0, 1])
    (tmp_path / "b.csv").write_text(f"image;label\n{source.files[0]};dog\n")  # as a spreadsheet writes it
    assert suggestions.read([tmp_path / "b.csv"], source, NAMES).indices.tolist() == [0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\nmine#1,cow\n", "line 2 of .*: unknown class 'cow'; known are cat, dog"),
        ("image,label\nmine#9,cat\n", "line 2 of .*: 'mine#9' is not an image of mine"),
        ("image,label\nother#1,cat\n", "line 2 of .*: 'other#1' is not an image of mine"),
        ("image,label\nmine#1,cat\nmine#1,dog\n", "line 3 of .*: 'mine#1' is there twice"),
        ("file,class\nmine#1,cat\n", "is not a table with the columns image and label, such as"),
        ("image,label\n", "a.csv' has no rows: add an image and its label"),
        ("", "is not a table with the columns image and label, such as"),
    ],
)
def test_bad_tables_are_one_line(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ganlib.UserError, match=message) as error:
        suggestions.read([tmp_path / "a.csv"], arrays(), NAMES)
    assert "\n" not in str(error.value)


def test_names_must_be_those_of_the_table(tmp_path):
    """The end of a path is not enough: it may be the image of another folder or split."""
    source = folder(tmp_path / "images")
    for name in (f"test/{source.files[0]}", source.files[0].rpartition("/")[2], source.files[0].removesuffix(".png")):
        (tmp_path / "a.csv").write_text(f"image,label\n{name},dog\n")
        with pytest.raises(ganlib.UserError, match="is not an image of"):
            suggestions.read([tmp_path / "a.csv"], source, NAMES)
    names = [suggestions.names_of(source, [0], with_folder=True)[0], source.files[1].replace("/", "\\"), f"{source.files[2]}"]
    (tmp_path / "a.csv").write_text("image,label\n" + "".join(f"{name},dog\n" for name in names))
    assert suggestions.read([tmp_path / "a.csv"], source, NAMES).indices.tolist() == [0, 1, 2]


def test_several_tables(tmp_path):
    source = arrays()
    tables = [written(tmp_path / f"{i}.csv", source, [i], ["dog"]) for i in (3, 0)]
    assert suggestions.read(tables, source, NAMES).indices.tolist() == [0, 3]
    with pytest.raises(ganlib.UserError, match="'mine#3' is there twice"):
        suggestions.read([tables[0], tables[0]], source, NAMES)


def test_only_tables_without_labels_can_be_replaced(tmp_path):
    source, path = arrays(), tmp_path / "a.csv"
    assert suggestions.can_be_replaced(path)
    suggestions.write(path, suggestions.names_of(source, [1, 2]), ["cat"] * 2, [0.5] * 2, [1] * 2)
    assert suggestions.can_be_replaced(path)
    assert not suggestions.can_be_replaced(written(path, source, [1, 2], ["", "dog"]))
    for text in ("Image;Label;Prediction\nmine#1;dog;dog\n", "image,label,prediction\nmine#1,dog,dog,blurred?\n", "notes", ""):
        path.write_text(text)
        assert not suggestions.can_be_replaced(path)


def test_tables_as_spreadsheets_and_other_computers_write_them(tmp_path):
    names = ("Gr\u00fcn", "b\udcfc")  # the second is not UTF-8
    images = np.arange(2, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 1), np.uint8)
    source = dataclasses.replace(data.from_arrays("folder:x", images), files=tuple(f"{name}/1.png" for name in names))
    table = tmp_path / "a.csv"
    suggestions.write(table, suggestions.names_of(source, [0, 1]), ["a"] * 2, [0.5] * 2, [1] * 2)
    content = table.read_bytes().replace(b"png,,a", "png,Gru\u0308n,a".encode())  # decomposed, as on macOS
    table.write_bytes(content.replace(b"image,label", b"Image,Label"))
    added = suggestions.read([table], source, ("Gr\u00fcn", "other"))
    assert (added.indices.tolist(), added.labels.tolist()) == ([0, 1], [0, 0])
    (tmp_path / "b.json").write_text(json.dumps([{"image": source.files[0], "label": None}]))
    assert suggestions.read([tmp_path / "b.json"], source, names).labels.tolist() == [-1]


def test_missing_table_is_one_line(tmp_path):
    with pytest.raises(ganlib.UserError, match="none.csv' cannot be read: No such file or directory: check its path"):
        suggestions.read([tmp_path / "none.csv"], arrays(), NAMES)


def test_added_labels_are_among_the_labeled_images():
    source = arrays([0, 1, 0, 1, 0, 1])
    first = data.few_labels(source, 1, seed=0)
    candidates = partition.without_label(source, 1, seed=0)
    assert len(candidates) == 4
    assert not {bytes(image) for image in source.images[candidates]} & {bytes(image) for image in first.labeled.images}
    added = partition.AddedLabels(candidates[:2], np.array([1, -1]))
    parts = data.few_labels(source, 1, seed=0, added=added)
    values = parts.labeled.images[:, 0, 0, 0].tolist()
    assert values == [*first.labeled.images[:, 0, 0, 0], *candidates[:2]]
    assert parts.labeled.labels.tolist() == [*first.labeled.labels, 1, source.labels[candidates[1]]]
    assert parts.unlabeled.num_examples == 6
    assert partition.without_label(source, 1, seed=0, added=added).tolist() == candidates[2:].tolist()


def test_added_label_replaces_an_earlier_one():
    source = arrays([0, 1, 0, 1, 0, 1])
    parts = data.few_labels(source, added=partition.AddedLabels(np.array([2]), np.array([1])))
    labels = dict(zip(parts.labeled.images[:, 0, 0, 0].tolist(), parts.labeled.labels.tolist(), strict=True))
    assert labels == {0: 0, 1: 1, 2: 1, 3: 1, 4: 0, 5: 1}
    assert parts.labeled.num_examples == 6


def test_added_label_replaces_that_of_a_copy_among_unlabeled_images():
    source = arrays([0, 1, 0, 1, 0, 1])
    parts = data.few_labels(source, unlabeled=arrays(), added=partition.AddedLabels(np.array([2]), np.array([1])))
    labels = dict(zip(parts.labeled.images[:, 0, 0, 0].tolist(), parts.labeled.labels.tolist(), strict=True))
    assert labels == {0: 0, 1: 1, 2: 1, 3: 1, 4: 0, 5: 1}
    assert parts.labeled.num_examples == parts.unlabeled.num_examples == 6


def test_added_labels_of_images_without_a_label():
    source = data.source.with_labels(arrays(), np.array([0, -1, 1, -1, 0, 1]), NAMES)
    assert partition.without_label(source).tolist() == [1, 3]
    parts = data.few_labels(source, added=partition.AddedLabels(np.array([3]), np.array([1])))
    assert parts.labeled.images[:, 0, 0, 0].tolist() == [0, 2, 4, 5, 3]
    assert parts.labeled.labels.tolist() == [0, 1, 0, 1, 1]
    with pytest.raises(ganlib.UserError, match="the added label of 'mine#1' is empty: fill it in, or delete the row"):
        data.few_labels(source, added=partition.AddedLabels(np.array([1]), np.array([-1])))


def test_added_labels_of_separate_unlabeled_images():
    source, other = arrays([0, 1, 0, 1, 0, 1]), data.from_arrays("other", np.full((3, 8, 8, 1), 9, np.uint8))
    assert partition.without_label(source, unlabeled=other).tolist() == [0, 1, 2]
    parts = data.few_labels(source, unlabeled=other, added=partition.AddedLabels(np.array([1]), np.array([0])))
    assert parts.labeled.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 9]
    assert parts.labeled.labels.tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert parts.unlabeled.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 9, 9, 9], "the labeled ones first"
    every = data.few_labels(source, unlabeled=other, added=partition.AddedLabels(np.arange(3), np.zeros(3, np.int64)))
    assert every.labeled.num_examples == every.unlabeled.num_examples == 9


def test_added_label_of_a_held_out_image_is_refused():
    source = arrays([0, 1, 0, 1, 0, 1])
    held_out = data.few_labels(source, validation_per_class=1).validation.images[:, 0, 0, 0].astype(int)
    added = partition.AddedLabels(held_out[:1], np.array([0]))
    with pytest.raises(ganlib.UserError, match=f"'mine#{held_out[0]}' is of a held-out image: remove its row from the table"):
        data.few_labels(source, validation_per_class=1, added=added)
    assert not set(held_out) & set(partition.without_label(source, validation_per_class=1))
