"""Evaluation of trained models on data: `generation` evaluates a GAN's images, `classification` a classifier's predictions."""

from ganlib.evaluation.generation import TRAINING_SEED, Evaluation, evaluation_record, shared_by_replicas
from ganlib.evaluation.images import generated_batches, generated_source, real_batches
from ganlib.evaluation.neighbors import nearest_neighbors

__all__ = [
    "TRAINING_SEED",
    "Evaluation",
    "evaluation_record",
    "generated_batches",
    "generated_source",
    "nearest_neighbors",
    "real_batches",
    "shared_by_replicas",
]

described, nearest_neighbours = evaluation_record, nearest_neighbors  # their names in earlier versions
