"""A trained model measured against data: `generator` measures what a GAN makes, `classifier` what a classifier gets right."""

from ganlib.evaluation.generation import (
    Evaluation,
    described,
    generated_batches,
    generated_source,
    nearest_neighbours,
    real_batches,
    shared_by_replicas,
)

__all__ = [
    "Evaluation", "described", "generated_batches", "generated_source", "nearest_neighbours", "real_batches",
    "shared_by_replicas",
]  # fmt: skip
