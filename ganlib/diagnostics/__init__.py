"""Symptoms of datasets and runs that go wrong, with their evidence and what to change.

`of_dataset` examines images before the first step, and the Keras callback `Diagnose` a GAN while it trains. Each symptom has a
file of its own, with its thresholds and their sources.
"""

from ganlib.diagnostics.amount import too_few_images
from ganlib.diagnostics.blank import blank_images
from ganlib.diagnostics.callback import Diagnose
from ganlib.diagnostics.classes import class_imbalance, missing_class, split_named_folders
from ganlib.diagnostics.dataset import of_dataset
from ganlib.diagnostics.duplicates import duplicate_images, split_leak
from ganlib.diagnostics.finding import SYMPTOMS, Finding
from ganlib.diagnostics.outliers import outlier_images

__all__ = [
    "SYMPTOMS",
    "Diagnose",
    "Finding",
    "blank_images",
    "class_imbalance",
    "duplicate_images",
    "missing_class",
    "of_dataset",
    "outlier_images",
    "split_leak",
    "split_named_folders",
    "too_few_images",
]
