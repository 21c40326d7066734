"""Image datasets: `sources` opens them, `labels` picks the few labelled ones, `pipeline` makes batches."""

from ganlib.data import folders, labels, pipeline, sources
from ganlib.data.pipeline import batches, semi_supervised_batches
from ganlib.data.sources import Source, open

__all__ = [
    "Source",
    "batches",
    "folders",
    "labels",
    "open",
    "pipeline",
    "semi_supervised_batches",
    "sources",
]
