"""Symptoms of datasets and runs that go wrong, with their evidence and what to change.

`of_dataset` examines images before the first step. Each symptom has a function on arrays of its own.
"""

from ganlib.diagnostics.amount import too_few_images
from ganlib.diagnostics.blank import blank_images
from ganlib.diagnostics.classes import class_imbalance, missing_class, split_named_folders
from ganlib.diagnostics.dataset import of_dataset
from ganlib.diagnostics.duplicates import duplicate_images, split_leak
from ganlib.diagnostics.finding import SYMPTOMS, Finding
from ganlib.diagnostics.outliers import outlier_images

__all__ = [
    "SYMPTOMS",
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
