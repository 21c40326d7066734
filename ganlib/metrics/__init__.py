"""Metrics of generated images and of classifiers, from arrays to numbers. They do not depend on GANs."""

from ganlib.metrics.authenticity import authenticity
from ganlib.metrics.bootstrap import intervals
from ganlib.metrics.classification import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    expected_calibration_error,
    f1_by_class,
    macro_f1,
    recall_by_class,
    roc_auc,
    temperature,
)
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
    "balanced_accuracy",
    "classification_accuracy_score",
    "cmmd",
    "confusion_matrix",
    "density_coverage",
    "expected_calibration_error",
    "f1_by_class",
    "feature_likelihood",
    "frechet_distance",
    "inception_score",
    "intervals",
    "kernel_distance",
    "macro_f1",
    "path_length",
    "precision_recall",
    "recall_by_class",
    "roc_auc",
    "slerp",
    "sliced_wasserstein",
    "temperature",
    "vendi_score",
]
