"""Builds the model that a config describes."""

import keras

from ganlib.errors import choose
from ganlib.methods import METHODS
from ganlib.training import precision


def build(run):
    """Builds and compiles the model of a run under its strategy. The initial weights are determined by the config's seed.

    Raises:
        UserError: If a name or an argument is unknown, or the network does not support the image size.
    """
    keras.utils.set_random_seed(run.config.seed)
    with precision.policy(run.config.precision), run.strategy.scope():
        return choose("method", run.config.method, METHODS).build(run)
