"""Terms that are added to the losses of the discriminator and of the generator.

Those of the discriminator have one signature, ``penalty(critic, real, fake, rng, step=0) -> scalar``: ``critic`` is a
`ganlib.models.critic.Critic`, which maps images to ``(n,)`` logits as the discriminator's loss sees them (with its labels and
augmentation), ``real`` and ``fake`` are ``(n, height, width, channels)`` float32, ``rng`` is a
`ganlib.training.RandomStream`. Those of the generator are called by
``penalty.of_generator(critic, generator, fake, rng, step=0)``.
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
    R1, R2, WGANGP, DRAGAN, LeCam, Consistency, BalancedConsistency, PathLength, OrthogonalWeights, WeightClipping,
    AuxiliaryClassification, ContrastiveClassification, RotationPrediction,
)  # fmt: skip
PENALTIES = {kind.name: kind for kind in KINDS}
"""Name -> class."""

__all__ = [*(kind.__name__ for kind in KINDS), "PENALTIES", "Penalty", "get"]


def get(name, **arguments):
    """A penalty by name, one of `PENALTIES`, with its constructor's arguments.

    Raises:
        UserError: for an unknown name, listing the known ones.
    """
    return choose("penalty", name, PENALTIES)(**arguments)
