"""The perceptual path length of a generator, against a loop over pairs."""

import numpy as np
import pytest

from ganlib.evaluation import path_length
from ganlib.metrics import slerp
from ganlib.metrics.extractor import Features
from ganlib.training.latents import latents_for
from tests.helpers import mlp_gan


class Pixels:
    """An extractor whose features are twice the pixel values."""

    def unrounded(self, images):
        assert images.dtype == np.float32
        assert np.abs(images - np.round(images)).max() > 1e-3, "rounding would hide small differences"
        return Features(2.0 * images.reshape(len(images), -1), None)


def loop(gan, count, seed, labels=None):
    """Computes all lengths, one pair at a time."""
    latents = latents_for(2 * count, gan.generator.latent_dim, seed)
    positions, lengths = np.random.default_rng(seed).uniform(size=count), []
    for i, t in enumerate(positions):
        ends = latents[i : i + 1], latents[count + i : count + i + 1]
        pair = []
        for position in (t, t + 1e-4):
            z = slerp(*ends, position) * gan.generator.latent_dim**0.5
            condition = None if labels is None else gan.generator.labels_for(1, labels[i : i + 1])
            pair.append((gan.generate_from(np.float32(z), condition, 1).astype(np.float64) + 1) * 127.5 * 2.0)
        lengths.append(np.sum((pair[0] - pair[1]) ** 2) / 1e-4**2)
    return lengths


@pytest.mark.parametrize("num_classes", [None, 3])
def test_path_length_matches_a_loop(num_classes):
    gan = mlp_gan(num_classes=num_classes)
    result = path_length.compute(gan, Pixels(), samples=120, seed=2)
    rng = np.random.default_rng(2)
    rng.uniform(size=120)
    labels = None if num_classes is None else rng.choice(np.arange(num_classes), 120)
    lengths = np.array(loop(gan, 120, 2, labels))
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    expected = lengths[(low <= lengths) & (lengths <= high)].mean()
    assert result["ppl_pairs"] == 120
    assert result["ppl"] == pytest.approx(expected, rel=0.05)  # float32 differences of neighboring images


def test_a_constant_generator_has_no_length():
    gan = mlp_gan()
    gan.ema_generator.set_weights([0.5 * np.ones_like(w) if w.ndim == 1 else 0 * w for w in gan.ema_generator.get_weights()])

    class Constant(Pixels):
        def unrounded(self, images):
            return Features(images.reshape(len(images), -1), None)

    assert path_length.compute(gan, Constant(), samples=20, seed=0)["ppl"] == 0.0
