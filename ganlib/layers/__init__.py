"""What networks are made of: layers that Keras lacks, and makers of the usual ones."""

from ganlib.layers.attention import SelfAttention, attention_after
from ganlib.layers.basic import (
    Composed,
    ConditionalBatchNorm,
    GroupedConv,
    MinibatchDeviation,
    SpectralNorm,
    WeightNorm,
    batch_norm,
    conv,
    dense,
    embedding,
    initialize_weight_norm,
    normalization,
    upsample,
)

__all__ = [
    "Composed", "ConditionalBatchNorm", "GroupedConv", "MinibatchDeviation", "SelfAttention", "SpectralNorm", "WeightNorm",
    "attention_after", "batch_norm", "conv", "dense", "embedding", "initialize_weight_norm", "normalization", "upsample",
]  # fmt: skip
