"""Checks the other runs that a config names: none may have been trained on images that this run holds out."""

import dataclasses

import numpy as np

from ganlib import data, runs
from ganlib.errors import UserError
from ganlib.training.checkpoint import Checkpoints

KEYS = ("features_from", "generated_from", "weights_from", "body_from")
"""Config keys that name another run."""


def check(config, source):
    """Checks that no named run, directly or through another run, was trained on an image that this run holds out, and
    that generated images have the classes and the shape of the real ones.

    Args:
        config: The run's config.
        source: The `ganlib.data.Source` that the run is trained on, including held-out images.

    Raises:
        UserError: If a named run was trained on a held-out image, or generates images of other classes or another shape.
    """
    if config.get("generated_from"):
        _check_classes(config.generated_from, source)
    if config.get("validation_per_class"):
        for workdir, other in _named_runs(config):
            held_out = _indices(config, source)["validation"]
            overlap = np.intersect1d(held_out, _trained_on(workdir, other, config, source))
            if overlap.size:
                raise UserError(
                    f"run {str(workdir)!r} was trained on {overlap.size} of the {held_out.size} images that this run holds "
                    f"out: train it with validation_per_class={config.validation_per_class} and label_seed={config.label_seed}"
                )


def state_of(workdir):
    """Returns a string that identifies the newest checkpoint of a run."""
    checkpoints = Checkpoints(runs.open_run(workdir).folder / "checkpoints", None)
    return f"step {max(checkpoints.steps(), default=0)} {checkpoints.fingerprint()}"


def _check_classes(workdir, source):
    run = runs.open_run(workdir)
    if run.config.get("conditional") and run.class_names != source.class_names:
        raise UserError(
            f"run {str(workdir)!r} generates images of the classes {', '.join(run.class_names)}, but this data has "
            f"{', '.join(source.class_names)}: use the same classes in the same order for both"
        )
    if run.image_shape != tuple(source.image_shape):
        raise UserError(
            f"run {str(workdir)!r} generates images of shape {run.image_shape}, but this data has shape "
            f"{tuple(source.image_shape)}: set image_size to make them equal"
        )


def _named_runs(config):
    """Yields the folder and the `ganlib.runs.Run` of each run that a config names, directly or through another run."""
    for workdir in filter(None, (config.get(key) for key in KEYS)):
        other = runs.open_run(workdir)
        yield workdir, other
        yield from _named_runs(other.config)


def _trained_on(workdir, other, config, source):
    """Returns the indices in ``source`` of the images that another run was trained on; none if it has other images."""
    other_config = other.config
    if other_config.get("unlabeled_dataset") and other_config.unlabeled_dataset == config.dataset:
        return np.arange(source.num_examples)
    if (other_config.dataset, other_config.get("classes")) != (config.dataset, config.get("classes")):
        return np.array([], np.int64)  # other images
    indices = _indices(other_config, source)
    # Added labels may be those of any image that is not held out.
    few_labels = other_config.get("labels_per_class") and not other_config.get("added_labels")
    labeled_only = few_labels and other_config.method in ("gan", "supervised")
    return indices["labeled" if labeled_only or other_config.get("unlabeled_dataset") else "unlabeled"]


def _indices(config, source):
    """Returns the parts of `ganlib.data.few_labels` as a dict of indices into the source."""
    if source.labels is None:
        all_indices = np.arange(source.num_examples)
        return {"labeled": all_indices, "unlabeled": all_indices, "validation": all_indices[:0]}
    numbered = dataclasses.replace(
        source, images=None, fetch=lambda indices: indices, decode=None
    )  # the "images" are their indices
    keys = ("labels_per_class", "label_seed", "validation_per_class")
    per_class, seed, held_out = (config.get(key) or None for key in keys)
    parts = data.few_labels(numbered, per_class, seed or 0, held_out or 0)
    named = {name: getattr(parts, name) for name in ("labeled", "unlabeled", "validation")}
    return {name: np.array(part.fetch(np.arange(part.num_examples))) for name, part in named.items() if part is not None}
