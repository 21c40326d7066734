import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, networks
from ganlib.evaluation.suggestions import suggest


class TwoPixels:
    """A classifier whose features are the pixels of an image of 2x1. The first is the logit of the second class."""

    temperature = 0.5

    def features(self, images):
        return tf.reshape(tf.cast(images, tf.float32), (-1, 2)) / 10 - 10.0

    def class_logits(self, features):
        return tf.stack([tf.zeros_like(features[:, 0]), features[:, 0]], axis=1)


def source_of(pixels):
    return data.from_arrays("points", np.array(pixels, np.uint8).reshape(-1, 2, 1, 1))


def test_one_of_each_group_is_suggested_the_most_uncertain_first():
    groups = [(102, 250), (101, 251), (102, 249), (104, 10), (105, 11), (104, 12), (250, 130), (251, 131), (250, 132)]
    found = suggest(TwoPixels(), source_of(groups), np.arange(9), 3)
    assert sorted(found.indices // 3) == [0, 1, 2]
    second = 1 / (1 + np.exp(-2 * (np.array(groups)[found.indices, 0] / 10 - 10)))
    np.testing.assert_allclose(found.probabilities, np.maximum(second, 1 - second), rtol=1e-5)
    np.testing.assert_allclose(found.uncertainties, 1 - abs(2 * second - 1), atol=1e-5)
    assert found.predictions.tolist() == [1, 1, 1]
    assert (np.diff(found.uncertainties) <= 0).all()


def test_in_a_group_the_product_of_uncertainty_and_typicality_decides():
    crowd = [(x, y) for x in (103, 104) for y in range(240, 250)]
    found = suggest(TwoPixels(), source_of([(100, 100), *crowd]), np.arange(21), 1)
    assert found.indices[0] > 0  # the first image is the most uncertain one, but resembles no other
    assert crowd[found.indices[0] - 1][0] == 103  # the others are about as typical as each other, and 103 is less certain


def test_copies_of_a_certain_image_are_not_preferred():
    blank = [(250, 250)] * 30
    crowd = [(x, y) for x in (98, 102) for y in range(220, 250)]
    found = suggest(TwoPixels(), source_of([*blank, *crowd]), np.arange(90), 1)
    assert found.indices[0] >= 30


def test_only_candidates_are_suggested():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 2))
    candidates = np.array([3, 8, 20, 33])
    found = suggest(TwoPixels(), source_of(pixels), candidates, 2)
    assert set(found.indices) <= set(candidates)
    assert len(set(found.indices)) == 2
    everything = suggest(TwoPixels(), source_of(pixels), candidates, 100)
    assert sorted(everything.indices) == candidates.tolist()


def test_equal_images_fill_the_number():
    found = suggest(TwoPixels(), source_of([(100, 100)] * 5 + [(200, 30)]), np.arange(6), 4)
    assert len(set(found.indices)) == 4
    assert 5 in found.indices


def test_invalid_arguments_are_rejected():
    with pytest.raises(ganlib.UserError, match="at least 1, got 0"):
        suggest(TwoPixels(), source_of([(1, 2)]), np.arange(1), 0)
    with pytest.raises(ganlib.UserError, match="points has no image to label: all of them are labeled or held out"):
        suggest(TwoPixels(), source_of([(1, 2)]), np.arange(0), 1)


def test_probabilities_are_the_calibrated_ones():
    source = data.open("digits")
    discriminator = networks.mlp.Discriminator(source.image_shape)
    classifier = networks.Classifier(discriminator.body, source.image_shape, 10)
    classifier.temperature.assign(3.0)
    found = suggest(classifier, source, np.arange(50), 5)
    expected = classifier.classify(source.pick(found.indices))
    np.testing.assert_allclose(found.probabilities, expected.max(axis=1), rtol=1e-4)
    assert found.predictions.tolist() == expected.argmax(axis=1).tolist()
