import numpy as np

from ganlib.networks import base, mlp


def test_rescale():
    pixels = np.array([[0, 51, 255]], np.uint8)
    np.testing.assert_allclose(base.rescale(pixels), [[-1.0, -0.6, 1.0]], atol=1e-6)
    floats = np.array([[0.25]], np.float32)
    np.testing.assert_array_equal(base.rescale(floats), floats)


def test_projection_adds_the_inner_product_of_features_and_embedding():
    discriminator = mlp.Discriminator((4, 4, 1), width=6, num_classes=3)
    images, labels = np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype(np.float32), np.array([0, 1, 2, 1, 0])
    features = np.asarray(discriminator.features(images))
    kernel, bias = discriminator.head.get_weights()
    embedding = discriminator.label_head.get_weights()[0]
    expected = (features @ kernel + bias)[:, 0] + (embedding[labels] * features).sum(axis=1)
    np.testing.assert_allclose(discriminator(images, labels), expected, rtol=1e-5)
