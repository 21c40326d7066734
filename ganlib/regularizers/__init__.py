"""Terms that a semi-supervised GAN adds to the loss of its classifier or of its generator, a file for each.

Those of the classifier are called with `Outputs` and a `ganlib.training.RandomStream`, those of the generator with the
features of generated images. Both return a scalar, already weighted.
"""

from ganlib.errors import choose
from ganlib.losses.weighted import listed
from ganlib.regularizers.base import Outputs, Regularizer, classifier_terms
from ganlib.regularizers.conditional_entropy import ConditionalEntropy
from ganlib.regularizers.consistency import Consistency
from ganlib.regularizers.manifold import Manifold
from ganlib.regularizers.marginal_entropy import MarginalEntropy
from ganlib.regularizers.pull_away import PullAway

CLASSIFIER_TERMS = {kind.name: kind for kind in (ConditionalEntropy, Manifold, Consistency, MarginalEntropy)}
"""Name -> class of a term of the classifier."""

GENERATOR_TERMS = {kind.name: kind for kind in (PullAway,)}
"""Name -> class of a term of the generator."""

__all__ = [
    "CLASSIFIER_TERMS", "GENERATOR_TERMS", "ConditionalEntropy", "Consistency", "Manifold", "MarginalEntropy", "Outputs",
    "PullAway", "Regularizer", "classifier_terms", "get", "listed",
]  # fmt: skip


def get(name, known, **arguments):
    """A term by name, out of `CLASSIFIER_TERMS` or `GENERATOR_TERMS`."""
    return choose("regularizer", name, known)(**arguments)
