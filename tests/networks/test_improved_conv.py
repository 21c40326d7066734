import keras
import numpy as np
import pytest

import ganlib
from ganlib.networks import Classifier, improved_conv


def test_parameters_match_a_count_by_hand():
    discriminator = improved_conv.Discriminator((32, 32, 3))
    classifier = Classifier(discriminator.body, (32, 32, 3), 10, discriminator.class_head(10))
    kernels = [(3, 3, 96), (3, 96, 96), (3, 96, 96), (3, 96, 192), *[(3, 192, 192)] * 3, (1, 192, 192), (1, 192, 192)]
    expected = sum(k * k * a * b + b for k, a, b in kernels) + 192 * 10 + 10 + 10
    assert sum(v.value.shape.num_elements() for v in classifier.trainable_variables) == expected
    generator = improved_conv.Generator((32, 32, 3))
    expected = 100 * 8192 + 25 * (512 * 256 + 256 * 128 + 128 * 3) + 3 + (512 + 256 + 128)  # batch norm has a bias only
    assert sum(v.value.shape.num_elements() for v in generator.trainable_variables) == expected


def test_first_logits_have_a_tenth_of_the_deviation_of_the_features():
    discriminator = improved_conv.Discriminator((16, 16, 1), width=8)
    classifier = Classifier(discriminator.body, (16, 16, 1), 5, discriminator.class_head(5))
    images = np.random.default_rng(0).integers(0, 256, (200, 16, 16, 1), np.uint8)
    classifier.initialize(images)
    np.testing.assert_allclose(classifier.predict(images, verbose=0).std(axis=0), 0.1, rtol=0.02)


def test_features_are_means_over_positions():
    for size in improved_conv.STAGES:
        discriminator = improved_conv.Discriminator((size, size, 1), width=4)
        assert discriminator.body.output_shape == (None, 8)


def test_the_network_of_manifold_regularization_takes_the_maximum_and_trains_all_gains():
    shape = (16, 16, 3)
    network, plain = (
        improved_conv.Discriminator(shape, width=4, **arguments)
        for arguments in ({"pooling": "max", "trainable_gains": True}, {})
    )
    images = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32)
    maps = keras.Sequential(network.body.layers[:-1])(images)
    np.testing.assert_allclose(network.features(images), np.max(maps, axis=(1, 2)), rtol=1e-6)
    gains = [variable for variable in network.body.variables if variable.name == "gain"]
    assert len(gains) == 9
    assert all(gain.trainable for gain in gains)
    assert not any(variable.name == "gain" for variable in plain.body.trainable_variables)
    restored = improved_conv.Discriminator.from_config(network.get_config())
    assert (restored.pooling, restored.trainable_gains) == ("max", True)
    with pytest.raises(ganlib.UserError, match="unknown pooling 'median'"):
        improved_conv.Discriminator(shape, pooling="median")
