"""Penalties: terms that are added to the losses of the discriminator and of the generator.

All penalties have the same signatures. A term of the discriminator's loss is called as
``penalty(critic, real, fake, rng, step=0) -> scalar``. ``critic`` is a `ganlib.models.critic.Critic`, which maps images to
``(n,)`` logits with the labels and the augmentation of the discriminator's loss, ``real`` and ``fake`` are
``(n, height, width, channels)`` float32, and ``rng`` is a `ganlib.training.RandomStream`. A term of the generator's loss is
called as ``penalty.of_generator(critic, generator, fake, rng, step=0)``.
"""

from ganlib.errors import choose
from ganlib.penalties.auxiliary import AuxiliaryClassification, ContrastiveClassification, RotationPrediction
from ganlib.penalties.base import Penalty
from ganlib.penalties.consistency import BalancedConsistency, Consistency
from ganlib.penalties.gradient import DRAGAN, R1, R2, WGANGP
from ganlib.penalties.lecam import LeCam
from ganlib.penalties.path_length import PathLength
from ganlib.penalties.weights import OrthogonalWeights, WeightClipping

KINDS = (
    R1,
    R2,
    WGANGP,
    DRAGAN,
    LeCam,
    Consistency,
    BalancedConsistency,
    PathLength,
    OrthogonalWeights,
    WeightClipping,
    AuxiliaryClassification,
    ContrastiveClassification,
    RotationPrediction,
)
"""All classes of penalties."""

PENALTIES = {kind.name: kind for kind in KINDS}
"""Name -> class."""

__all__ = [*(kind.__name__ for kind in KINDS), "PENALTIES", "Penalty", "get"]


def get(name, **arguments):
    """Creates a penalty by name.

    Args:
        name: A name in `PENALTIES`.
        **arguments: The arguments of the penalty's constructor.

    Raises:
        UserError: If the name is unknown. The message lists the known names.
    """
    return choose("penalty", name, PENALTIES)(**arguments)
