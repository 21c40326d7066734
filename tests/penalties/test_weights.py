import keras
import numpy as np
import pytest

from ganlib import penalties
from tests.helpers import mlp_gan, weights


def test_orthogonal_weights_against_numpy():
    gan = mlp_gan()
    value = float(penalties.OrthogonalWeights(0.5).of_generator(None, gan.generator, None, None))
    expected = 0.0
    for kernel in (w for w in gan.generator.get_weights() if w.ndim > 1):
        products = kernel.T.astype(np.float64) @ kernel
        expected += np.square(products - np.diag(np.diag(products))).sum()
    assert value == pytest.approx(0.5 * 0.5 * expected, rel=1e-4)


def test_orthogonal_weights_ignore_embeddings():
    gan = mlp_gan(num_classes=3)
    before = float(penalties.OrthogonalWeights(1.0).of_generator(None, gan.generator, None, None))
    gan.generator.embedding.embeddings.assign(100 * gan.generator.embedding.embeddings)
    assert float(penalties.OrthogonalWeights(1.0).of_generator(None, gan.generator, None, None)) == before


def test_orthogonal_kernels_have_no_penalty():
    gan = mlp_gan()
    for variable in gan.generator.trainable_variables:
        if len(variable.shape) > 1:
            is_tall = variable.shape[0] >= variable.shape[1]
            variable.assign(keras.initializers.Orthogonal()(variable.shape) if is_tall else 0 * variable)
    assert float(penalties.OrthogonalWeights(1.0).of_generator(None, gan.generator, None, None)) < 1e-8


def test_weight_clipping_clips_only_the_discriminator(images):
    gan = mlp_gan(loss="wasserstein", penalties=[penalties.WeightClipping(0.02)])
    logs = gan.train_on_batch(images[:8], return_dict=True)
    assert "weight_clipping" not in logs
    assert max(np.abs(w).max() for w in weights(gan.discriminator)) == pytest.approx(0.02)
    assert max(np.abs(w).max() for w in weights(gan.generator)) > 0.1
    (loaded,) = [penalties.WeightClipping.from_config(p.get_config()) for p in gan.penalties]
    assert loaded.limit == 0.02
