"""Which images a run's generator is trained on."""

import numpy as np
from PIL import Image

from experiments import configs
from ganlib import data, runs


def test_images_of_a_gan_and_of_a_semi_supervised_gan():
    source = data.open("digits")
    assert runs.training_images(configs.load("digits_dcgan"), source) is source
    few = runs.training_images(configs.load("digits_dcgan", ["labels_per_class=3", "label_seed=5"]), source)
    np.testing.assert_array_equal(few.images, data.few_labels(source, 3, 5).labeled.images)
    overrides = ["labels_per_class=3", "label_seed=5", "validation_per_class=4"]
    unlabeled = runs.training_images(configs.load("digits_sgan", overrides), source)
    assert len(unlabeled.images) == source.num_examples - 40, "all but the held-out images"
    labeled = data.few_labels(source, 3, 5).labeled.images
    overrides = ["labels_per_class=3", "label_seed=5", "unlabeled_dataset=digits"]
    both = runs.training_images(configs.load("digits_sgan", overrides), source)
    assert both.num_examples == source.num_examples, "the labeled images, and all others"
    np.testing.assert_array_equal(both.images[:30], labeled)


def test_the_test_images_are_opened_only_for_a_metric_that_needs_them():
    config = configs.load("digits_dcgan")
    assert runs.open_test(config, ["fid", "precision_recall", "authenticity"]) is None
    for name in ("fid_test", "fld", "cas"):
        assert runs.open_test(config, ["fid", name]).num_examples == 500
    assert runs.open_test(config, ["fid"], ["in_domain", "in_domain:test"]).num_examples == 500
    assert runs.open_test(config, ["fid"], ["in_domain"]) is None


def partly_labeled(folder):
    """Writes a folder with five images, of which a table labels four, and returns its name as a dataset."""
    for number in range(5):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    (folder / "labels.csv").write_text("file,label\n" + "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(4)))
    return f"folder:{folder}"


def test_images_without_a_label_train_an_unconditional_gan_only(tmp_path):
    dataset = partly_labeled(tmp_path)
    for overrides, opened, trained in (
        ([], 5, 5),
        (["conditional=True"], 4, 4),
        (["labels_per_class=1"], 4, 2),
        (["validation_per_class=1"], 4, 3),
        (["validation_per_class=1", "conditional=True"], 4, 2),
    ):
        config = configs.load("digits_dcgan", [f"dataset={dataset}", "conditional=False", *overrides])
        source = runs.open_data(config)
        assert (source.num_examples, runs.training_images(config, source).num_examples) == (opened, trained)


def test_images_without_a_label_train_a_semi_supervised_gan(tmp_path):
    config = configs.load(
        "digits_sgan", [f"dataset={partly_labeled(tmp_path)}", "labels_per_class=1", "validation_per_class=1"]
    )
    source = runs.open_data(config)
    assert source.num_examples == 4
    assert sorted(runs.training_images(config, source).images[:, 0, 0, 0].tolist())[-1] == 4
    config.update(unlabeled_dataset=config.dataset, label_file="labels.csv")
    assert runs.open_unlabeled(config).num_examples == 5


def test_classes_do_not_select_among_unlabeled_images(tmp_path):
    for index in range(4):
        Image.fromarray(np.full((8, 8), index, np.uint8)).save(tmp_path / f"{index}.png")
    config = configs.load("digits_sgan", ["classes=3,7", "labels_per_class=2", f"unlabeled_dataset=folder:{tmp_path}"])
    parts = runs.few_labels(config, runs.open_data(config))
    assert parts.labeled.class_names == ("3", "7")
    assert parts.unlabeled.num_examples == 4 + 4
    np.testing.assert_array_equal(parts.unlabeled.images[4:, 0, 0, 0], range(4))
    config.unlabeled_dataset = "digits"  # it has labels, of ten classes
    parts = runs.few_labels(config, runs.open_data(config))
    assert parts.unlabeled.num_examples == data.open("digits").num_examples
    assert parts.unlabeled.labels is None
