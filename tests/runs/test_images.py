"""Which images a run's generator is trained on."""

import numpy as np

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
    other = runs.training_images(configs.load("digits_sgan", ["unlabeled_dataset=digits"]), source)
    assert other.fingerprint == source.fingerprint


def test_the_test_images_are_opened_only_for_a_metric_that_needs_them():
    config = configs.load("digits_dcgan")
    assert runs.open_test(config, ["fid", "precision_recall", "authenticity"]) is None
    for name in ("fid_test", "fld", "cas"):
        assert runs.open_test(config, ["fid", name]).num_examples == 500
