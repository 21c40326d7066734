"""A trained model measured against data: `generator` measures what a GAN makes, `classifier` what a classifier gets right."""

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
    "Evaluation", "evaluation_record", "generated_batches", "generated_source", "nearest_neighbors", "real_batches",
    "shared_by_replicas",
]  # fmt: skip
