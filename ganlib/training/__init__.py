"""Training under any distribution strategy, with moving averages, checkpoints and callbacks."""

from ganlib.training import averaging, callbacks, checkpoint, precision
from ganlib.training.distributed import DistributedModel
from ganlib.training.random_stream import RandomStream

__all__ = ["DistributedModel", "RandomStream", "averaging", "callbacks", "checkpoint", "precision"]
