"""Evaluation of trained models on data: `generation` evaluates a GAN's images, `classification` a classifier's predictions."""

from ganlib.evaluation.generation import (
    Evaluation,
    evaluation_record,
    generated_batches,
    generated_source,
    nearest_neighbors,
    real_batches,
    shared_by_replicas,
)

__all__ = [
    "Evaluation",
    "evaluation_record",
    "generated_batches",
    "generated_source",
    "nearest_neighbors",
    "real_batches",
    "shared_by_replicas",
]

described, nearest_neighbours = evaluation_record, nearest_neighbors  # their names in earlier versions
