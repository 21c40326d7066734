"""From a run's config to its model."""

import keras

from ganlib.errors import choose
from ganlib.methods import METHODS
from ganlib.training import precision


def build(run):
    """The compiled model that a run's config describes, under its strategy, with new weights that follow from its seed.

    Raises:
        UserError: for a name or an argument that does not exist, or an image size that the network cannot make.
    """
    keras.utils.set_random_seed(run.config.seed)
    with precision.policy(run.config.precision), run.strategy.scope():
        return choose("method", run.config.method, METHODS).build(run)
