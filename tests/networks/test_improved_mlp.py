import itertools

import numpy as np

from ganlib import layers
from ganlib.networks import Classifier, improved_mlp


def test_parameters_match_a_count_by_hand():
    discriminator = improved_mlp.Discriminator((28, 28, 1))
    classifier = Classifier(discriminator.body, (28, 28, 1), 10, discriminator.class_head(10))
    units = [784, 1000, 500, 250, 250, 250, 10]
    expected = sum(a * b + b for a, b in itertools.pairwise(units)) + 10  # plus the gains of the last layer
    assert sum(v.value.shape.num_elements() for v in classifier.trainable_variables) == expected
    generator = improved_mlp.Generator((28, 28, 1))
    expected = 100 * 500 + 500 * 500 + 2 * 500 + 500 * 784 + 2 * 784  # batch norm has a bias only
    assert sum(v.value.shape.num_elements() for v in generator.trainable_variables) == expected


def test_noise_before_every_layer():
    body = improved_mlp.Discriminator((28, 28, 1)).body
    names = [type(layer).__name__ for layer in body.layers]
    assert names == ["Flatten", *["GaussianNoise", "WeightNorm", "ReLU"] * 5]
    assert [layer.stddev for layer in body.layers[1::3]] == [0.6, 0.5, 0.5, 0.5, 0.5]
    assert not any(layer.trainable_gain for layer in body.layers if isinstance(layer, layers.WeightNorm))
    assert np.array_equal(body(np.ones((1, 28, 28, 1))), body(np.ones((1, 28, 28, 1))))
