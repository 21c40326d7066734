"""Image datasets: `open` opens them, `labels` and `partition` select the few labeled images, `pipeline` creates batches."""

from ganlib.data import (
    archives,
    decoding,
    fitting,
    folder_source,
    folders,
    formats,
    labels,
    listing,
    opening,
    parallel,
    partition,
    pipeline,
    pixels,
    png,
    source,
    storage,
    tfds_source,
    tree,
)
from ganlib.data.opening import open
from ganlib.data.partition import FewLabels, few_labels
from ganlib.data.pipeline import batches, joined_batches, neighbor_batches, semi_supervised_batches
from ganlib.data.source import Source, from_arrays

__all__ = [
    "FewLabels",
    "Source",
    "archives",
    "batches",
    "decoding",
    "few_labels",
    "fitting",
    "folder_source",
    "folders",
    "formats",
    "from_arrays",
    "joined_batches",
    "labels",
    "listing",
    "neighbor_batches",
    "open",
    "opening",
    "parallel",
    "partition",
    "pipeline",
    "pixels",
    "png",
    "semi_supervised_batches",
    "source",
    "storage",
    "tfds_source",
    "tree",
]
