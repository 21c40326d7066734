"""Metrics of generated images and of classifiers, from arrays to numbers. They do not depend on GANs."""

from ganlib.metrics.classification import accuracy, confusion_matrix, expected_calibration_error, recall_by_class, temperature
from ganlib.metrics.classification_accuracy import classification_accuracy_score
from ganlib.metrics.density_coverage import DensityCoverage, density_coverage
from ganlib.metrics.frechet import Moments, frechet_distance
from ganlib.metrics.inception_score import InceptionScore, inception_score
from ganlib.metrics.kernel import KernelDistance, kernel_distance
from ganlib.metrics.precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "DensityCoverage",
    "InceptionScore",
    "KernelDistance",
    "Moments",
    "PrecisionRecall",
    "accuracy",
    "classification_accuracy_score",
    "confusion_matrix",
    "density_coverage",
    "expected_calibration_error",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
    "recall_by_class",
    "temperature",
]
