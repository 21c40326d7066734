"""What an evaluation needs, checked before anything is computed: images, labels, probabilities and a suitable model."""

import numpy as np

from ganlib.data import partition
from ganlib.errors import UserError


def check_sources(evaluation):
    """Raises a `UserError` if the real images do not support a metric of a `ganlib.evaluation.Evaluation`."""
    source, test = evaluation.source, evaluation.test
    for name, metric in evaluation.metrics.items():
        if "test" in metric.against and test is None:
            raise UserError(f"{name} requires real test images: pass test, or omit {name}")
        if "labels" in metric.needs and not source.class_names:
            raise UserError(f"{name} requires labeled images, which {source.name} lacks: omit it")
    if "cas" in evaluation.metrics:
        for dataset in (source, test):
            if dataset.images is None or dataset.labels is None:
                raise UserError(f"cas requires labeled images in memory, which {dataset.name} lacks: omit it")
        partition.check_test_set(source, test)
    for dataset in (test, evaluation.training):
        if dataset is not None and dataset.image_shape != source.image_shape:
            raise UserError(
                f"{source.name} has images of {source.image_shape}, {dataset.name} of {dataset.image_shape}: "
                "set the same image_size for both"
            )


def check_features(evaluation):
    """Raises a `UserError` if the feature network does not support a metric."""
    for name, metric in evaluation.metrics.items():
        if "probabilities" in metric.needs:
            one_image = np.zeros((1, *evaluation.source.image_shape), np.uint8)
            if evaluation.extractor(one_image).probabilities is None:
                raise UserError(
                    f"{name} requires class probabilities, which the feature network {evaluation.extractor.name} lacks: "
                    "omit it, or set other features"
                )


def check_model(evaluation, model):
    """Raises a `UserError` if a model is not a GAN, or does not support a metric."""
    source = evaluation.source
    if not hasattr(model, "generator"):
        raise UserError(f"expected a ganlib.GAN, got a {type(model).__name__}: use of_source for images")
    if getattr(model.generator, "image_shape", source.image_shape) != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, the GAN generates {model.generator.image_shape}: "
            "use real images of the same shape"
        )
    precision = getattr(model.generator, "compute_dtype", "float32")
    for name, metric in evaluation.metrics.items():
        if "float32" in metric.needs and precision != "float32":
            raise UserError(
                f"{name} compares images that differ too little for {precision}: load the run with precision='float32' "
                "(--precision=float32)"
            )
        if "labels" not in metric.needs:
            continue
        if not model.generator.num_classes:
            raise UserError(f"{name} requires a conditional GAN, whose images have labels: omit it")
        if model.generator.num_classes != source.num_classes:
            raise UserError(
                f"{name} compares classes, but {source.name} has {source.num_classes} and the GAN "
                f"{model.generator.num_classes}: use the images that it was trained on"
            )


def check_generated_source(evaluation, fake):
    """Raises a `UserError` if a metric cannot be computed for a source of generated images.

    Args:
        evaluation: A `ganlib.evaluation.Evaluation`.
        fake: A `ganlib.data.Source`, whose images ``(height, width, channels)`` must have the shape of the real ones.
    """
    source = evaluation.source
    if fake.image_shape != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, {fake.name} of {fake.image_shape}: "
            "set the same image_size for both"
        )
    for name, metric in evaluation.metrics.items():
        if metric.inputs == "generator":
            raise UserError(f"{name} requires a generator, not images: omit it, or pass --workdir")
        if "labels" in metric.needs and not fake.class_names:
            raise UserError(f"{name} requires labeled images, which {fake.name} lacks: omit it")
