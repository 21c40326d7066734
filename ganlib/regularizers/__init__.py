"""Terms that a semi-supervised GAN adds to the loss of its classifier or of its generator, one file each.

A term of the classifier is called with `Outputs` and a `ganlib.training.RandomStream`, a term of the generator with the
features of generated images. Both return a weighted scalar.
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
    "CLASSIFIER_TERMS",
    "GENERATOR_TERMS",
    "ConditionalEntropy",
    "Consistency",
    "Manifold",
    "MarginalEntropy",
    "Outputs",
    "PullAway",
    "Regularizer",
    "classifier_terms",
    "get",
    "listed",
]


def get(name, known, **arguments):
    """Creates a term by name.

    Args:
        name: A name in ``known``.
        known: `CLASSIFIER_TERMS` or `GENERATOR_TERMS`.
        **arguments: The arguments of the term's constructor.

    Raises:
        UserError: If the name is unknown. The message lists the known names.
    """
    return choose("regularizer", name, known)(**arguments)
