import keras
import numpy as np
import pytest

import ganlib
from ganlib import losses

REAL, FAKE = np.array([2.0, -1.0, 0.3], np.float32), np.array([0.5, -3.0, 1.0], np.float32)


def guide(smoothing=0.0):
    """The losses as TensorFlow's DCGAN tutorial writes them."""
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)
    discriminator = cross_entropy(np.ones(3), REAL) + cross_entropy(np.zeros(3), FAKE)
    return float(discriminator), float(cross_entropy(np.ones(3), FAKE))


@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.BinaryCrossentropy(from_logits=True)])
def test_values_are_those_of_the_guide_and_of_the_non_saturating_loss(loss):
    for other in (losses.get(loss), losses.get("non_saturating")):
        values = float(other.discriminator(REAL, FAKE)), float(other.generator(FAKE, None))
        np.testing.assert_allclose(values, guide(), rtol=1e-6)


def test_labels_are_smoothed():
    loss = losses.get(keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2))
    values = float(loss.discriminator(REAL, FAKE)), float(loss.generator(FAKE, None))
    np.testing.assert_allclose(values, guide(0.2), rtol=1e-6)
    assert abs(values[0] - guide()[0]) > 0.01


def test_probabilities_are_refused():
    with pytest.raises(ganlib.UserError, match="take logits: use"):
        losses.get(keras.losses.BinaryCrossentropy())
