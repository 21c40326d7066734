"""Image datasets: `sources` opens them, `labels` and `partition` select the few labeled images, `pipeline` creates batches."""

from ganlib.data import folders, labels, partition, pipeline, sources, tree
from ganlib.data.partition import FewLabels, few_labels
from ganlib.data.pipeline import batches, joined_batches, neighbor_batches, semi_supervised_batches
from ganlib.data.sources import Source, from_arrays, open

__all__ = [
    "FewLabels",
    "Source",
    "batches",
    "few_labels",
    "folders",
    "from_arrays",
    "joined_batches",
    "labels",
    "neighbor_batches",
    "open",
    "partition",
    "pipeline",
    "semi_supervised_batches",
    "sources",
    "tree",
]
