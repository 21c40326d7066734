"""The other runs that a run's config names: whether what they learned from may be used here."""

import dataclasses

import numpy as np

from ganlib import data, runs
from ganlib.errors import UserError
from ganlib.training.checkpoint import Checkpoints

KEYS = ("features_from", "generated_from", "weights_from", "body_from")
"""Config keys that name another run."""


def check(config, source):
    """Makes sure that no named run, and none that those name, was trained on an image that this run holds out, and that
    generated images have the classes of the real ones.

    Args:
        config: the run's config.
        source: the `ganlib.data.Source` that it is trained on, held-out images included.

    Raises:
        UserError: if one was, or if they have not.
    """
    if config.get("generated_from"):
        _check_classes(config.generated_from, source)
    if config.get("validation_per_class"):
        for workdir, other in _named(config):
            held_out = _indices(config, source)["validation"]
            common = np.intersect1d(held_out, _trained_on(workdir, other, config, source))
            if common.size:
                raise UserError(
                    f"run {str(workdir)!r} was trained on {common.size} of the {held_out.size} images that are held out here: "
                    f"train it with validation_per_class={config.validation_per_class} and label_seed={config.label_seed}"
                )


def state_of(workdir):
    """A string that is another one when a run's newest checkpoint is another one."""
    checkpoints = Checkpoints(runs.open_run(workdir).folder / "checkpoints", None)
    return f"step {max(checkpoints.steps(), default=0)} {checkpoints.fingerprint()}"


def _check_classes(workdir, source):
    run = runs.open_run(workdir)
    if run.config.get("conditional") and run.class_names != source.class_names:
        raise UserError(f"run {str(workdir)!r} makes images of the classes {', '.join(run.class_names)}, this data has "
                        f"{', '.join(source.class_names)}: give both the same classes in the same order")  # fmt: skip
    if run.image_shape != tuple(source.image_shape):
        raise UserError(f"run {str(workdir)!r} makes images of {run.image_shape}, this data has {tuple(source.image_shape)}: "
                        "set image_size, so that they are alike")  # fmt: skip


def _named(config):
    """Pairs of the folder and the `ganlib.runs.Run` of each run that a config names, and of those that these name."""
    for workdir in filter(None, (config.get(key) for key in KEYS)):
        other = runs.open_run(workdir)
        yield workdir, other
        yield from _named(other.config)


def _trained_on(workdir, other, config, source):
    """The indices in ``source`` of the images that another run learned from, where it is of the same images."""
    theirs = other.config
    if theirs.get("unlabeled_dataset") and theirs.unlabeled_dataset == config.dataset:
        return np.arange(source.num_examples)
    if (theirs.dataset, theirs.get("classes")) != (config.dataset, config.get("classes")):
        return np.array([], np.int64)  # other images
    indices = _indices(theirs, source)
    few = theirs.get("labels_per_class") and theirs.method in ("gan", "supervised")
    return indices["labeled" if few or theirs.get("unlabeled_dataset") else "unlabeled"]


def _indices(config, source):
    """The parts of `ganlib.data.few_labels`, each as indices into the source."""
    if source.labels is None:
        everything = np.arange(source.num_examples)
        return {"labeled": everything, "unlabeled": everything, "validation": everything[:0]}
    numbered = dataclasses.replace(source, images=None, read=lambda indices: indices)  # each image is its own number
    keys = ("labels_per_class", "label_seed", "validation_per_class")
    per_class, seed, held_out = (config.get(key) or None for key in keys)
    parts = data.few_labels(numbered, per_class, seed or 0, held_out or 0)
    named = {name: getattr(parts, name) for name in ("labeled", "unlabeled", "validation")}
    return {name: np.array(part.read(np.arange(part.num_examples))) for name, part in named.items() if part is not None}
