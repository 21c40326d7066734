import keras
import numpy as np
import pytest

from ganlib.layers import initializers
from ganlib.networks import biggan
from ganlib.training import averaging


@pytest.mark.parametrize("shape", [(3, 3, 16, 32), (3, 3, 8, 128), (64, 64), (100, 1), (1, 7), (1024, 1024)])
def test_orthogonal_has_the_values_of_keras(shape):
    ours = np.asarray(initializers.Orthogonal(gain=1.5, seed=3)(shape))
    keras_values = np.asarray(keras.initializers.Orthogonal(gain=1.5, seed=3)(shape))
    assert (ours.dtype, ours.shape) == (np.float32, shape)
    np.testing.assert_allclose(ours, keras_values, atol=2e-5)
    matrix = np.float64(ours).reshape(-1, shape[-1]) / 1.5
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-6)


def test_orthogonal_is_saved_and_has_the_types_of_keras():
    dense = keras.layers.Dense(4, kernel_initializer=initializers.get("orthogonal"), dtype="float64")
    dense.build((None, 8))
    assert dense.kernel.dtype == "float64"
    again = keras.layers.Dense.from_config(dense.get_config())
    assert isinstance(again.kernel_initializer, initializers.Orthogonal)
    with pytest.raises(ValueError, match="at least two-dimensional"):
        initializers.Orthogonal()((3,))


def test_copies_of_networks_are_not_initialized_but_equal(monkeypatch):
    generator = biggan.Generator((32, 32, 3), latent_dim=8, width=4, num_classes=3, embedding_dim=4)
    kernel = np.asarray(generator.blocks[0].first_conv.layer.kernel).reshape(-1, generator.blocks[0].width)
    assert np.abs(kernel).max() > 0
    monkeypatch.setattr(initializers.scipy.linalg, "cholesky", lambda *_, **__: pytest.fail("it is initialized"))
    clone = averaging.clone_network(generator)
    for a, b in zip(clone.get_weights(), generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
