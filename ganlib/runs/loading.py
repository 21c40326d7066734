"""Loads the trained model of a run."""

import logging

import keras

from ganlib.errors import UserError
from ganlib.models.adversarial import AdversarialModel
from ganlib.runs.folder import open_run
from ganlib.runs.from_config import build


def load(workdir, best=False, precision=None):
    """Loads the trained model of a run with its optimizers and its calibration, ready for `generate`, `classify` or `fit`.

    Args:
        workdir: The folder of a run with at least one checkpoint.
        best: Whether to load the checkpoint with the lowest FID instead of the newest. A classifier with
            ``selected_step="best"`` is always loaded as it was at its best step. Defaults to False.
        precision: The precision of the layers, such as ``"float32"``; None uses that of the training. Defaults to None.

    Returns:
        A `ganlib.GAN`, `ganlib.SemiSupervisedGAN` or `ganlib.SupervisedClassifier`.

    Raises:
        UserError: If there is no run or no readable checkpoint.
    """
    run = open_run(workdir)
    model = build(run)
    if best and run.best_checkpoint(model).restore() is None:
        advice = "train it with --config.metrics=fid, or" if "metrics" in run.config else "classifiers keep none;"
        raise UserError(f"run {str(workdir)!r} has no best checkpoint: {advice} use the newest checkpoint")
    if not best and run.selected_checkpoints(model).restore() is None:
        raise UserError(f"run {str(workdir)!r} has no checkpoint yet: train it first")
    _warn_if_not_calibrated(run, model)
    return model if precision in (None, run.config.precision) else _in_precision(run, model, precision)


def _in_precision(run, model, precision):
    """Rebuilds the model of a run in another precision. Drops the state of loss scaling, which only float16 has."""
    run.config.precision = precision
    rebuilt = build(run)
    pairs = [
        (rebuilt, model),
        *(map(_without_scaling, pair) for pair in zip(rebuilt.optimizers, model.optimizers, strict=True)),
    ]
    for target, source in pairs:
        for variable, value in zip(target.variables, source.variables, strict=True):
            variable.assign(value)
    return rebuilt


def _without_scaling(optimizer):
    return optimizer.inner_optimizer if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else optimizer


def _warn_if_not_calibrated(run, model):
    """Warns if a classifier has validation images but is not calibrated. The job calibrates it at the end of training."""
    if hasattr(model, "classifier") and run.config.get("validation_per_class") and model.classifier.temperature.numpy() == 1:
        message = "the classifier in %r is not calibrated, because its training has not finished: run the training job again"
        logging.getLogger("ganlib").warning(message, str(run.folder))


def load_gan(workdir, best=False, precision=None):
    """Loads a model that has a generator: see `load`.

    Args:
        workdir: The folder of a run with at least one checkpoint.
        best: Whether to load the checkpoint with the lowest FID instead of the newest. Defaults to False.
        precision: The precision of the layers, such as ``"float32"``; None uses that of the training. Defaults to None.

    Raises:
        UserError: If the run is a classifier without a generator, or `load` raises it.
    """
    model = load(workdir, best, precision)
    if not isinstance(model, AdversarialModel):
        raise UserError(f"run {str(workdir)!r} is a classifier without a generator: pass the --workdir of a GAN")
    if not model.generator.makes_images:
        raise UserError(f"the generator of run {str(workdir)!r} makes features, not images: pass the --workdir of a GAN")
    return model


def selection_of_best(run, model):
    """Returns what the FIDs depended on by which the best checkpoint of a run was selected: a dict with ``"metric"``,
    ``"samples"``, ``"seed"`` and, since ganlib 0.2, ``"features"``, ``"features_version"`` and ``"real_content"``.

    Args:
        run: A `ganlib.runs.Run` with a best checkpoint.
        model: Its `ganlib.GAN`, which is not changed.
    """
    checkpoints = run.best_checkpoint(model)
    checkpoints.find()
    unrecorded = {"metric": "fid", "samples": run.config.evaluation_samples, "seed": 0}
    return checkpoints.notes.get("selection", unrecorded)


def load_classifier(run):
    """Loads a model that has an averaged, calibrated ``classifier``, a `ganlib.Classifier`: see `load`.

    Args:
        run: A `ganlib.runs.Run`.

    Raises:
        UserError: If the run is a GAN without a classifier, or has no readable checkpoint.
    """
    model = load(run.folder)
    if not hasattr(model, "classifier"):
        raise UserError(f"no classifier in {str(run.folder)!r}: train one with experiments.train_classifier")
    return model
