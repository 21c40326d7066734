"""Metrics of generated images and of classifiers, from arrays to numbers. They do not depend on GANs."""

from ganlib.metrics.authenticity import authenticity
from ganlib.metrics.classification import accuracy, confusion_matrix, expected_calibration_error, recall_by_class, temperature
from ganlib.metrics.classification_accuracy import classification_accuracy_score
from ganlib.metrics.cmmd import cmmd
from ganlib.metrics.density_coverage import DensityCoverage, density_coverage
from ganlib.metrics.frechet import Moments, frechet_distance
from ganlib.metrics.inception_score import InceptionScore, inception_score
from ganlib.metrics.kernel import KernelDistance, kernel_distance
from ganlib.metrics.likelihood import FeatureLikelihood, feature_likelihood
from ganlib.metrics.path_length import path_length, slerp
from ganlib.metrics.precision_recall import PrecisionRecall, precision_recall
from ganlib.metrics.sliced_wasserstein import SlicedWasserstein, sliced_wasserstein
from ganlib.metrics.vendi import vendi_score

__all__ = [
    "DensityCoverage",
    "FeatureLikelihood",
    "InceptionScore",
    "KernelDistance",
    "Moments",
    "PrecisionRecall",
    "SlicedWasserstein",
    "accuracy",
    "authenticity",
    "classification_accuracy_score",
    "cmmd",
    "confusion_matrix",
    "density_coverage",
    "expected_calibration_error",
    "feature_likelihood",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "path_length",
    "precision_recall",
    "recall_by_class",
    "slerp",
    "sliced_wasserstein",
    "temperature",
    "vendi_score",
]
