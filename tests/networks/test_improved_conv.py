import keras
import numpy as np
import pytest

import ganlib
from ganlib import seeds
from ganlib.networks import Classifier, improved_conv
from ganlib.training import draws


def test_parameters_match_a_count_by_hand():
    discriminator = improved_conv.Discriminator((32, 32, 3))
    classifier = Classifier(discriminator.body, (32, 32, 3), 10, discriminator.class_head(10))
    kernels = [(3, 3, 96), (3, 96, 96), (3, 96, 96), (3, 96, 192), *[(3, 192, 192)] * 3, (1, 192, 192), (1, 192, 192)]
    expected = sum(k * k * a * b + b for k, a, b in kernels) + 192 * 10 + 10 + 10
    assert sum(v.value.shape.num_elements() for v in classifier.trainable_variables) == expected
    generator = improved_conv.Generator((32, 32, 3))
    expected = 100 * 8192 + 25 * (512 * 256 + 256 * 128 + 128 * 3) + 3 + 3 + (8192 + 256 + 128)  # batch norm: biases only
    assert sum(v.value.shape.num_elements() for v in generator.trainable_variables) == expected


def test_first_logits_have_a_tenth_of_the_deviation_of_the_features():
    """With the dropout of the initialization, as in the authors' code."""
    discriminator = improved_conv.Discriminator((16, 16, 1), width=8)
    classifier = Classifier(discriminator.body, (16, 16, 1), 5, discriminator.class_head(5))
    images = np.random.default_rng(0).integers(0, 256, (200, 16, 16, 1), np.uint8)
    seed = seeds.derive(0, seeds.Purpose.INITIALIZATION)
    draws.seed([classifier], seed)
    classifier.initialize(images)
    draws.seed([classifier], seed)
    np.testing.assert_allclose(np.std(classifier(images, training=True), axis=0), 0.1, rtol=0.02)
    assert np.std(classifier(images), axis=0).max() < 0.09  # dropout has a part in it


def deconvolved(x, kernel):
    """nn.Deconv2DLayer of the authors with stride 2: ``(n, h, w, in)``, ``(5, 5, out, in)`` -> ``(n, 2h, 2w, out)``.

    Input i reaches the outputs 2i - 2 to 2i + 2. Theano's gradient of a convolution turns the kernel by 180 degrees.
    """
    n, height, width, _ = x.shape
    padded = np.zeros((n, 2 * height + 4, 2 * width + 4, kernel.shape[2]))
    for row, column in np.ndindex(5, 5):
        padded[:, row : row + 2 * height : 2, column : column + 2 * width : 2] += x @ kernel[4 - row, 4 - column].T
    return padded[:, 2 : 2 * height + 2, 2 : 2 * width + 2]


def normalized(x):
    """Batch normalization of the last axis."""
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-6)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_the_generator_and_its_initialization_are_the_authors(num_classes):
    """On images turned by 180 degrees, because TensorFlow's padding begins on the other side."""
    generator = improved_conv.Generator((32, 32, 3), latent_dim=50, width=4, num_classes=num_classes)
    z = np.random.default_rng(0).uniform(size=(40, 50)).astype(np.float32)
    labels = generator.labels_for(40)
    pixels = generator.body.layers[-2]
    kernels = [np.array(weight) for weight in generator.body.trainable_weights if weight.name == "kernel"]
    dense, first, second, last = kernels
    assert not np.any(pixels.layer.bias)
    assert np.all(pixels.gain == 1.0)
    x = np.asarray(generator.concat_label_embedding(z, labels)).astype(np.float64)
    x = np.maximum(normalized(x @ dense), 0).reshape(40, 4, 4, 16)[:, ::-1, ::-1]
    for kernel in (first, second):
        x = np.maximum(normalized(deconvolved(x, kernel)), 0)
    x = deconvolved(x, last / np.sqrt(1e-6 + (last**2).sum(axis=(0, 1, 3)))[:, None])
    mean, deviation = x.mean(axis=(0, 1, 2)), x.std(axis=(0, 1, 2))
    generator.initialize(z, labels)
    after = [np.array(weight) for weight in generator.body.trainable_weights if weight.name == "kernel"]
    assert all(np.array_equal(a, b) for a, b in zip(kernels, after, strict=True))
    np.testing.assert_allclose(pixels.gain, 0.1 / deviation, rtol=1e-4)
    np.testing.assert_allclose(pixels.layer.bias, -mean * 0.1 / deviation, rtol=1e-4, atol=1e-6)
    images = np.asarray(generator(z, *([] if labels is None else [labels]), training=True))
    expected = np.tanh((x - mean) * 0.1 / deviation)
    np.testing.assert_allclose(images[:, ::-1, ::-1], expected, atol=1e-5)
    assert expected.std() == pytest.approx(0.1, rel=0.02)


def convolved(x, kernel, stride, padding):
    """Conv2DDNNLayer of the authors: every kernel has a length of 1 and is turned by 180 degrees, as in Theano."""
    kernel = kernel / np.sqrt(1e-6 + (kernel**2).sum(axis=(0, 1, 2)))
    size, x = len(kernel), np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    count = (x.shape[1] - size) // stride + 1
    parts = [
        x[:, row : row + stride * count : stride, column : column + stride * count : stride][:, :count, :count]
        @ kernel[size - 1 - row, size - 1 - column]
        for row, column in np.ndindex(size, size)
    ]
    return sum(parts)


def test_the_discriminator_is_the_authors():
    """Without dropout, and on images turned by 180 degrees, as in the test of the generator."""
    discriminator = improved_conv.Discriminator((32, 32, 3), width=4)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    x, strides, paddings = images[:, ::-1, ::-1].astype(np.float64), [1, 1, 2, 1, 1, 2, 1, 1, 1], [1] * 6 + [0] * 3
    kernels = [np.array(weight) for weight in discriminator.body.trainable_weights if weight.name == "kernel"]
    for kernel, stride, padding in zip(kernels, strides, paddings, strict=True):
        x = convolved(x, kernel, stride, padding)
        x = np.maximum(x, 0.2 * x)
    assert x.shape == (2, 6, 6, 8)
    np.testing.assert_allclose(discriminator.features(images), x.mean(axis=(1, 2)), rtol=1e-3)


def test_a_generator_of_an_earlier_version_has_its_layers():
    generator = improved_conv.Generator((16, 16, 1), width=4)
    config = generator.get_config()
    assert config.pop("code") == "improved_gan"
    earlier = improved_conv.Generator.from_config(config)
    names = [type(layer).__name__ for layer in earlier.body.layers]
    assert names == ["Dense", "Reshape", *["BatchNormalization", "ReLU", "Conv2DTranspose"] * 2]
    before = earlier.get_weights()
    earlier.initialize(np.ones((4, 100), np.float32))
    assert all(np.array_equal(a, b) for a, b in zip(before, earlier.get_weights(), strict=True))


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


def kernels_of(network):
    return [variable for variable in network.weights if variable.name == "kernel"]


def test_the_generator_of_bad_gan_has_scales_and_the_initial_weights_of_pytorch():
    """U(-b, b) with b = 1 / sqrt(inputs), and N(0, 0.05) in the last layer."""
    generator = improved_conv.Generator((16, 16, 3), latent_dim=30, width=32, code="bad_gan")
    bounds = [30**-0.5, (25 * 64) ** -0.5]
    *kernels, last = kernels_of(generator)
    for kernel, bound in zip(kernels, bounds, strict=True):
        assert 0.99 * bound < np.max(np.abs(kernel)) <= bound
        assert np.std(kernel) == pytest.approx(bound / 3**0.5, rel=0.05)
    assert np.std(last) == pytest.approx(0.05, rel=0.05)
    scales = [np.asarray(variable) for variable in generator.weights if variable.name == "gamma"]
    assert [scale.shape for scale in scales] == [(4 * 4 * 64,), (32,)]  # by units, then by channels
    assert 0 <= np.min(scales[0]) < 0.05 < 0.95 < np.max(scales[0]) <= 1
    assert generator.get_config()["code"] == "bad_gan"
    with pytest.raises(ganlib.UserError, match="unknown code 'badgan'.*Did you mean 'bad_gan'"):
        improved_conv.Generator((16, 16, 3), code="badgan")


@pytest.mark.parametrize("code", ["improved_gan", "bad_gan"])
def test_a_weight_normalized_last_layer_begins_with_a_tenth_of_the_deviation(code):
    generator = improved_conv.Generator((16, 16, 3), latent_dim=6, width=8, code=code)
    latents = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    generator.initialize(latents)
    pixels = np.arctanh(generator(latents, training=True))
    np.testing.assert_allclose(pixels.mean(axis=(0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(pixels.std(axis=(0, 1, 2)), 0.1, rtol=1e-2)


def test_images_get_noise_and_lose_whole_channels():
    body = improved_conv.Discriminator((16, 16, 3), width=4, noise=0.05, drops_channels=True).body
    noise, dropout, *_ = body.layers
    assert (noise.stddev, dropout.rate) == (0.05, 0.2)
    kept = np.asarray(dropout(np.ones((200, 16, 16, 3), np.float32), training=True))
    assert set(np.unique(kept)) == {0.0, np.float32(1 / 0.8)}
    np.testing.assert_array_equal(kept.max(axis=(1, 2)), kept.min(axis=(1, 2)))
    assert np.mean(kept > 0) == pytest.approx(0.8, abs=0.06)


def test_encoder_of_bad_gan():
    """Three 5x5 convolutions of 128, 256 and 512 channels, and the mean and the deviation of each latent."""
    encoder = improved_conv.Encoder((32, 32, 3), latent_dim=100)
    convolutions = 25 * (3 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
    expected = convolutions + 4 * 4 * 512 * 200 + 200 + 200  # the last layer has gains
    assert sum(v.value.shape.num_elements() for v in encoder.trainable_variables) == expected
    bounds = [(25 * inputs) ** -0.5 for inputs in (3, 128, 256)]
    for kernel, bound in zip(kernels_of(encoder)[:3], bounds, strict=True):
        assert 0.99 * bound < np.max(np.abs(kernel)) <= bound
    small = improved_conv.Encoder((16, 16, 1), latent_dim=5, width=4)
    images = np.random.default_rng(0).uniform(-1, 1, (300, 16, 16, 1)).astype(np.float32)
    small.initialize(images)
    means, log_stds = small(images, training=True)
    assert means.shape == log_stds.shape == (300, 5)
    for values in (means, log_stds):
        np.testing.assert_allclose(np.std(values, axis=0), 0.1, rtol=1e-2)


def test_an_encoder_is_saved(tmp_path):
    encoder = improved_conv.Encoder((16, 16, 1), latent_dim=5, width=4)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    images = np.ones((2, 16, 16, 1), np.float32)
    np.testing.assert_array_equal(loaded(images)[0], encoder(images)[0])
