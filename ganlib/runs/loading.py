"""The trained model in a run's folder."""

import logging

import keras

from ganlib.errors import UserError
from ganlib.models.adversarial import AdversarialModel
from ganlib.runs.folder import open_run
from ganlib.runs.from_config import build


def load(workdir, best=False, precision=None):
    """The trained model of a run, with its optimizers and its calibration, ready for `generate`, `classify` or more `fit`.

    Args:
        workdir: a folder in which a training job has saved a checkpoint.
        best: take the checkpoint with the lowest FID instead of the newest one.
        precision: that of the layers, such as ``"float32"``; None for what it was trained in.

    Returns:
        A `ganlib.GAN`, `ganlib.SemiSupervisedGAN` or `ganlib.SupervisedClassifier`.

    Raises:
        UserError: if there is no run or no readable checkpoint.
    """
    run = open_run(workdir)
    model = build(run)
    if best and run.best_checkpoint(model).restore() is None:
        how = "train it with --config.metrics=fid, or" if "metrics" in run.config else "of a classifier none is kept:"
        raise UserError(f"run {str(workdir)!r} has no best checkpoint: {how} take the newest")
    if not best and run.checkpoints(model).restore() is None:
        raise UserError(f"run {str(workdir)!r} has no checkpoint yet: train it first")
    _tell_if_not_calibrated(run, model)
    return model if precision in (None, run.config.precision) else _in_precision(run, model, precision)


def _in_precision(run, model, precision):
    """The model of a run with layers of another precision. The state of loss scaling, which float16 alone has, stays behind."""
    run.config.precision = precision
    other = build(run)
    pairs = [(other, model), *(map(_without_scaling, pair) for pair in zip(other.optimizers, model.optimizers, strict=True))]
    for to, of in pairs:
        for variable, value in zip(to.variables, of.variables, strict=True):
            variable.assign(value)
    return other


def _without_scaling(optimizer):
    return optimizer.inner_optimizer if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else optimizer


def _tell_if_not_calibrated(run, model):
    """Warns of a classifier that shall be calibrated and is not yet: the job does that when the training is over."""
    if hasattr(model, "classifier") and run.config.get("validation_per_class") and model.classifier.temperature.numpy() == 1:
        message = "the classifier in %r is not calibrated: its training was not finished; run the training job again"
        logging.getLogger("ganlib").warning(message, str(run.folder))


def load_gan(workdir, best=False):
    """`load` for those who need a generator.

    Raises:
        UserError: if the run is of a classifier without one, too.
    """
    model = load(workdir, best)
    if not isinstance(model, AdversarialModel):
        raise UserError(f"run {str(workdir)!r} is a classifier without a generator: give the --workdir of a GAN")
    return model
