"""Losses of the discriminator and the generator, as named pairs of functions of logits.

Every function takes two ``(n,)`` float32 tensors of logits, ``real`` for real images and ``fake`` for generated ones, and
returns a scalar, the mean over the batch. In the formulas, D(x) is the logit; the probability that x is real is
sigmoid(D(x)).
"""

import dataclasses
from collections.abc import Callable

from keras import ops


@dataclasses.dataclass(frozen=True)
class Loss:
    """A pair of losses, one for the discriminator and one for the generator.

    Attributes:
        discriminator: ``(real_logits, fake_logits) -> scalar``.
        generator: ``(fake_logits, real_logits) -> scalar``. ``real_logits`` is None unless ``paired``.
        paired: True if the generator's loss also uses the logits of real images. Defaults to False.
    """

    discriminator: Callable
    generator: Callable
    paired: bool = False


def cross_entropy_discriminator(real, fake):
    """-E log sigmoid(D(x)) - E log(1 - sigmoid(D(G(z)))): Goodfellow et al. 2014 (arXiv:1406.2661), equation 1."""
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def non_saturating_generator(fake, real=None):
    """-E log sigmoid(D(G(z))): Goodfellow et al. 2014, section 3. Its gradient does not vanish early in training."""
    return ops.mean(ops.softplus(-fake))


def minimax_generator(fake, real=None):
    """E log(1 - sigmoid(D(G(z)))): Goodfellow et al. 2014, equation 1, the loss of the minimax game."""
    return -ops.mean(ops.softplus(fake))


def least_squares_discriminator(real, fake):
    """1/2 E (D(x) - 1)^2 + 1/2 E D(G(z))^2: Mao et al. 2017 (arXiv:1611.04076), equation 9."""
    return 0.5 * ops.mean(ops.square(real - 1.0)) + 0.5 * ops.mean(ops.square(fake))


def least_squares_generator(fake, real=None):
    """1/2 E (D(G(z)) - 1)^2: Mao et al. 2017, equation 9."""
    return 0.5 * ops.mean(ops.square(fake - 1.0))


def hinge_discriminator(real, fake):
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))): Lim & Ye 2017 (arXiv:1705.02894), Miyato et al. 2018."""
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


def wasserstein_discriminator(real, fake):
    """E D(G(z)) - E D(x): Arjovsky et al. 2017 (arXiv:1701.07875). It needs a penalty that keeps D Lipschitz."""
    return ops.mean(fake) - ops.mean(real)


def linear_generator(fake, real=None):
    """-E D(G(z)), the generator's part of the hinge and Wasserstein losses."""
    return -ops.mean(fake)


def relativistic_discriminator(real, fake):
    """E softplus(D(G(z)) - D(x)) over pairs: Jolicoeur-Martineau 2019 (arXiv:1807.00734), as in R3GAN, Huang et al.
    2024 (arXiv:2501.05441)."""
    return ops.mean(ops.softplus(fake - real))


def relativistic_generator(fake, real):
    """E softplus(D(x) - D(G(z))) over the same pairs."""
    return ops.mean(ops.softplus(real - fake))


LOSSES = {
    "non_saturating": Loss(cross_entropy_discriminator, non_saturating_generator),
    "minimax": Loss(cross_entropy_discriminator, minimax_generator),
    "least_squares": Loss(least_squares_discriminator, least_squares_generator),
    "hinge": Loss(hinge_discriminator, linear_generator),
    "wasserstein": Loss(wasserstein_discriminator, linear_generator),
    "relativistic": Loss(relativistic_discriminator, relativistic_generator, paired=True),
}
"""Name -> pair of losses."""
