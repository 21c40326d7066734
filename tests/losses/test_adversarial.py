import numpy as np
import pytest

import ganlib
from ganlib import losses

REAL, FAKE = np.array([2.0, -1.0], np.float32), np.array([0.5, -3.0], np.float32)


def log_sigmoid(x):
    return -np.log1p(np.exp(-np.asarray(x, np.float64)))


EXPECTED = {
    "non_saturating": (-log_sigmoid(REAL).mean() - log_sigmoid(-FAKE).mean(), -log_sigmoid(FAKE).mean()),
    "minimax": (-log_sigmoid(REAL).mean() - log_sigmoid(-FAKE).mean(), log_sigmoid(-FAKE).mean()),
    # By hand: 1/2 (1 + 4) / 2 + 1/2 (0.25 + 9) / 2 and 1/2 (0.25 + 16) / 2
    "least_squares": (3.5625, 4.0625),
    # By hand: (0 + 2) / 2 + (1.5 + 0) / 2 and -(0.5 - 3) / 2
    "hinge": (1.75, 1.25),
    # By hand: (0.5 - 3) / 2 - (2 - 1) / 2
    "wasserstein": (-1.75, 1.25),
    "relativistic": (-log_sigmoid(REAL - FAKE).mean(), -log_sigmoid(FAKE - REAL).mean()),
}


@pytest.mark.parametrize("name", losses.LOSSES)
def test_values_against_formulas(name):
    loss = losses.get(name)
    discriminator, generator = EXPECTED[name]
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(discriminator, rel=1e-6)
    assert float(loss.generator(FAKE, REAL if loss.paired else None)) == pytest.approx(generator, rel=1e-6)


def test_every_loss_has_an_expected_value():
    assert set(EXPECTED) == set(losses.LOSSES)


def test_large_logits_stay_finite():
    logits = np.array([1e4, -1e4], np.float32)
    for loss in losses.LOSSES.values():
        assert np.isfinite(float(loss.discriminator(logits, -logits)))


def test_unknown_loss_suggests_the_nearest_name():
    with pytest.raises(ganlib.UserError, match=r"unknown loss 'hing': known are hinge, .* Did you mean 'hinge'\?"):
        losses.get("hing")


def test_loss_object_is_returned_unchanged():
    loss = losses.Loss(losses.hinge_discriminator, losses.linear_generator)
    assert losses.get(loss) is loss


TFGAN_REAL, TFGAN_FAKE = np.array([-5.0, 1.4, 12.5, 2.7], np.float32), np.array([10.0, 4.4, -5.5, 3.6], np.float32)


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("least_squares", 41.73375, 17.69625),
        ("non_saturating", 6.19637 - 0.125 * 2.9, 1.38582),
        ("minimax", 6.19637 - 0.125 * 2.9, -4.82408 + np.log1p(np.exp(-1.0))),
        ("wasserstein", 0.225, -3.125),
        ("hinge", 6.75, -3.125),
    ],
)
def test_values_of_tf_gan(name, discriminator, generator):
    """The logits and the losses of TF-GAN's tests (losses_impl_test.py).

    TF-GAN smooths the labels of real images by 0.25 by default, which adds 0.125 times their mean logit, 2.9, to the
    discriminator's loss. Its minimax generator includes a constant, the loss of a real logit of 1.
    """
    loss = losses.get(name)
    assert float(loss.discriminator(TFGAN_REAL, TFGAN_FAKE)) == pytest.approx(discriminator, abs=2e-5)
    assert float(loss.generator(TFGAN_FAKE, None)) == pytest.approx(generator, abs=2e-5)
