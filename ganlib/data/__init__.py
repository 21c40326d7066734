"""Image datasets: `open` opens them, `labels` and `partition` select the few labeled images, `pipeline` creates batches."""

from ganlib.data import (
    decoding,
    folder_source,
    folders,
    labels,
    opening,
    partition,
    pipeline,
    sizes,
    source,
    tfds_source,
    tree,
)
from ganlib.data.opening import open
from ganlib.data.partition import FewLabels, few_labels
from ganlib.data.pipeline import Share, batches, joined_batches, neighbor_batches, semi_supervised_batches
from ganlib.data.source import Source, from_arrays

__all__ = [
    "FewLabels",
    "Share",
    "Source",
    "batches",
    "decoding",
    "few_labels",
    "folder_source",
    "folders",
    "from_arrays",
    "joined_batches",
    "labels",
    "neighbor_batches",
    "open",
    "opening",
    "partition",
    "pipeline",
    "semi_supervised_batches",
    "sizes",
    "source",
    "tfds_source",
    "tree",
]
