"""What an evaluation needs, checked before anything is computed: images, labels, probabilities and a suitable model."""

import numpy as np

from ganlib.data import partition
from ganlib.errors import UserError
from ganlib.evaluation.images import drawn_labels
from ganlib.metrics.arrays import check_probabilities


def check_sources(evaluation):
    """Raises a `UserError` if the real images do not support a metric of a `ganlib.evaluation.Evaluation`."""
    source, test = evaluation.source, evaluation.test
    for name, metric in evaluation.metrics.items():
        if "test" in metric.against and test is None:
            raise UserError(f"{name} requires real test images: pass test, or omit {name}")
        if "test" in metric.against and metric.inputs == "features" and evaluation.features == "in_domain:test":
            raise UserError(
                f"{name} compares with the test images, on which the network in_domain:test is trained: omit it, or set other "
                "features"
            )
        if metric.needs_labels and not source.class_names:
            raise UserError(f"{name} requires labeled images, which {source.name} lacks: omit it")
        if min(source.image_shape[:2]) < metric.min_size:
            raise UserError(f"{name} requires images of at least {metric.min_size} pixels, got {source.image_shape}: omit it")
        _check_numbers(evaluation, name, metric)
        if metric.inputs == "labeled_images":
            _check_labeled_images(evaluation, name, metric)
    for dataset in (test, evaluation.training):
        if dataset is not None:
            _check_shape(source, dataset)


def _check_numbers(evaluation, name, metric):
    numbers = {other: evaluation.source_of(other).num_examples for other in metric.against}
    numbers["generated"] = evaluation.samples
    if metric.pairwise:
        numbers = {other: min(number, evaluation.pairs) for other, number in numbers.items()}
    for other, number in numbers.items():
        if number < metric.min_images:
            raise UserError(
                f"{name} requires at least {metric.min_images} {other} images, got {number}: use more images, or omit it"
            )
    if "moments_by_class" in metric.needs and evaluation.source.labels is not None:
        _check_classes(name, evaluation.source.labels, evaluation.source.num_classes, "real")


def _check_classes(name, labels, num_classes, kind):
    counts = np.bincount(labels, minlength=num_classes)
    if counts.min() < 2:
        raise UserError(
            f"{name} requires 2 images of each class, but class {counts.argmin()} has {counts.min()} {kind} ones: "
            "use more images, or omit it"
        )


def _check_labeled_images(evaluation, name, metric):
    sources = [evaluation.source_of(other) for other in metric.against]
    for dataset in sources:
        if dataset.images is None or dataset.labels is None:
            raise UserError(f"{name} requires labeled images in memory, which {dataset.name} lacks: omit it")
    if "test" in metric.against:
        partition.check_test_set(evaluation.source, evaluation.test)


def _check_shape(source, other):
    if other.image_shape != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, {other.name} of {other.image_shape}: "
            "set the same image_size for both"
        )


def check_features(evaluation):
    """Raises a `UserError` if the feature network does not support a metric."""
    for name, metric in evaluation.metrics.items():
        if "probabilities" in metric.needs:
            probabilities = evaluation.extractor(np.zeros((1, *evaluation.source.image_shape), np.uint8)).probabilities
            if probabilities is None:
                raise UserError(
                    f"{name} requires class probabilities, which the feature network {evaluation.extractor.name} lacks: "
                    "omit it, or set other features"
                )
            check_probabilities(probabilities)


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
        if metric.needs_labels:
            _check_conditional(evaluation, name, metric, model.generator)


def _check_conditional(evaluation, name, metric, generator):
    source = evaluation.source
    if not generator.num_classes:
        raise UserError(f"{name} requires a conditional GAN, whose images have labels: omit it")
    if generator.num_classes != source.num_classes:
        raise UserError(
            f"{name} compares classes, but {source.name} has {source.num_classes} and the GAN {generator.num_classes}: use the "
            "images that it was trained on"
        )
    if "moments_by_class" in metric.needs and source.labels is not None:
        labels = drawn_labels(generator, evaluation.samples, np.random.default_rng(evaluation.seed), source.labels)
        _check_classes(name, labels, source.num_classes, "generated")


def check_generated_source(evaluation, fake):
    """Raises a `UserError` if a metric cannot be computed for a source of generated images.

    Args:
        evaluation: A `ganlib.evaluation.Evaluation`.
        fake: A `ganlib.data.Source`, whose images ``(height, width, channels)`` must have the shape of the real ones.
    """
    source = evaluation.source
    _check_shape(source, fake)
    for name, metric in evaluation.metrics.items():
        if metric.inputs == "generator":
            raise UserError(f"{name} requires a generator, not images: omit it, or pass --workdir")
        if not metric.needs_labels:
            continue
        if not fake.class_names:
            raise UserError(f"{name} requires labeled images, which {fake.name} lacks: omit it")
        if fake.class_names != source.class_names:
            raise UserError(
                f"{name} compares classes, but those of {source.name} are {_short(source.class_names)} and those of "
                f"{fake.name} are {_short(fake.class_names)}: use the same class names"
            )
        if "moments_by_class" in metric.needs and fake.labels is not None and len(fake.labels) <= evaluation.samples:
            _check_classes(name, fake.labels, fake.num_classes, "generated")


def _short(names):
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
