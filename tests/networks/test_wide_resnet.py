import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.networks import Classifier, wide_resnet

SHAPE = (16, 16, 3)


def randomized(network, seed=0):
    """Gives a network other weights, so that no bias or statistic is 0 or 1."""
    rng = np.random.default_rng(seed)
    for variable in network.variables:
        if variable.dtype == "float32":
            low = 0.5 if variable.name in ("gamma", "moving_variance") else -0.5
            variable.assign(rng.uniform(low, 1.5 if low > 0 else 0.5, variable.shape))
    return network


def features_of_the_authors(images, variables, width, repeat, scales):
    """FixMatch's `ResNet.classifier` up to the features, in evaluation, with the weights in the order of its calls."""
    weights = {}
    for variable in variables:
        weights.setdefault(variable.path.rpartition("/")[0], {})[variable.name] = tf.convert_to_tensor(variable.value)
    convs = iter([layer for layer in weights.values() if "kernel" in layer])
    norms = iter([layer for layer in weights.values() if "gamma" in layer])

    def conv(x, stride=1):
        layer = next(convs)
        return tf.nn.conv2d(x, layer["kernel"], stride, "SAME") + layer["bias"]

    def activated(x):
        layer = next(norms)
        normalized = (x - layer["moving_mean"]) / tf.sqrt(layer["moving_variance"] + 1e-3)
        return tf.nn.leaky_relu(normalized * layer["gamma"] + layer["beta"], 0.1)

    x = conv(images)
    for scale in range(scales):
        for index in range(repeat):
            stride = 2 if scale and not index else 1
            after = activated(x)
            shortcut = after if not scale and not index else x
            inner = conv(activated(conv(after, stride)))
            x = (conv(shortcut, stride) if shortcut.shape[-1] != width << scale else shortcut) + inner
    return tf.reduce_mean(activated(x), axis=(1, 2))


def test_features_equal_the_authors_formula():
    network = randomized(wide_resnet.Discriminator(SHAPE, width=4, repeat=2))
    images = np.random.default_rng(1).uniform(-1, 1, (3, *SHAPE)).astype(np.float32)
    expected = features_of_the_authors(images, network.body.variables, width=4, repeat=2, scales=3)
    np.testing.assert_allclose(network.features(images), expected, rtol=1e-4, atol=1e-4)


def test_it_is_wrn_28_2():
    body = wide_resnet.Discriminator().body
    kernels = [variable for variable in body.trainable_variables if variable.name == "kernel"]
    assert [kernel.shape[0] for kernel in kernels].count(3) == 25  # with 3 shortcuts of 1x1 and the head: 28 in depth
    assert [kernel.shape[0] for kernel in kernels].count(1) == 3
    stem, shortcuts = 9 * 3 * 16, 16 * 32 + 32 * 64 + 64 * 128
    first_convs = 9 * (16 * 32 + 32 * 64 + 64 * 128)
    other_convs = 7 * 9 * (32**2 + 64**2 + 128**2)
    assert sum(int(np.prod(kernel.shape)) for kernel in kernels) == stem + shortcuts + first_convs + other_convs


def test_initial_weights_have_the_authors_variance():
    body = wide_resnet.Discriminator().body
    for kernel in (variable for variable in body.trainable_variables if variable.name == "kernel"):
        size, _, _, filters = kernel.shape
        assert np.std(kernel) == pytest.approx(np.sqrt(2 / (size * size * filters)), rel=0.1)


def test_training_reaches_every_weight_of_a_classifier():
    classifier = Classifier(wide_resnet.Discriminator(SHAPE, width=4, repeat=2).body, SHAPE, 10)
    randomized(classifier)
    images = np.random.default_rng(2).uniform(-1, 1, (6, *SHAPE)).astype(np.float32)
    with tf.GradientTape() as tape:
        logits = classifier(images, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(6), logits))
    gradients = tape.gradient(loss, [variable.value for variable in classifier.trainable_variables])
    for variable, gradient in zip(classifier.trainable_variables, gradients, strict=True):
        assert np.abs(gradient).max() > 0, variable.path


def test_other_normalizations_are_refused():
    with pytest.raises(ganlib.UserError, match="unknown normalization 'layer'"):
        wide_resnet.Discriminator(SHAPE, normalization="layer")
