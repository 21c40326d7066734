"""Measures of generated images and of classifiers: arrays in, numbers out. They know nothing of GANs."""

from ganlib.metrics.classification import accuracy, confusion_matrix
from ganlib.metrics.frechet import frechet_distance

__all__ = ["accuracy", "confusion_matrix", "frechet_distance"]
