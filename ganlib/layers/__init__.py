"""The layers of the networks: those that Keras lacks, and functions that build the common ones."""

from ganlib.layers.attention import SelfAttention, attention_after
from ganlib.layers.batch_normalization import ConditionalBatchNorm, batch_norm, normalization
from ganlib.layers.builders import conv, dense, embedding
from ganlib.layers.composed import Composed
from ganlib.layers.grouped_conv import GroupedConv
from ganlib.layers.minibatch_deviation import MinibatchDeviation
from ganlib.layers.prior_shift import PriorShift, prior_shift_of, with_prior_shift
from ganlib.layers.resampling import upsample
from ganlib.layers.spectral_norm import SpectralNorm
from ganlib.layers.weight_norm import WeightNorm, has_weight_norm, initialize_in_call, initialize_weight_norm

__all__ = [
    "Composed",
    "ConditionalBatchNorm",
    "GroupedConv",
    "MinibatchDeviation",
    "PriorShift",
    "SelfAttention",
    "SpectralNorm",
    "WeightNorm",
    "attention_after",
    "batch_norm",
    "conv",
    "dense",
    "embedding",
    "has_weight_norm",
    "initialize_in_call",
    "initialize_weight_norm",
    "normalization",
    "prior_shift_of",
    "upsample",
    "with_prior_shift",
]
