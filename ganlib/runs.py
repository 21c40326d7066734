"""A run's folder: what is in it, and how a model is trained in it and loaded from it.

The folder holds ``config.json`` (the config), ``run.json`` (what the data and the software were), ``metrics.jsonl``,
``speed.jsonl``, ``tensorboard/``, ``checkpoints/``, ``samples/``, and in the end ``report.html``.
"""

import atexit
import contextlib
import dataclasses
import json
import logging
import math
import pathlib
import platform
import tempfile

import keras
import ml_collections
import tensorflow as tf

import ganlib
from ganlib import data, keys, resuming
from ganlib.errors import UserError
from ganlib.files import locked, read_dict, write_json
from ganlib.from_config import build
from ganlib.gan import GAN
from ganlib.training import signals, strategy
from ganlib.training.callbacks import (
    BestCheckpoint,
    LogMetrics,
    SaveCheckpoints,
    SaveSamples,
    StopAtNonFinite,
    StopWhenAsked,
)  # fmt: skip
from ganlib.training.checkpoint import Checkpoints
from ganlib.training.progress import Progress

SKIPPED_IN_A_ROW = 100
"""So many executions in a row may be skipped before training stops: see ``non_finite``."""


@dataclasses.dataclass(frozen=True)
class Run:
    """An open run folder.

    Attributes:
        folder: the run's folder, whose checkpoints every worker reads.
        workdir: where this process writes: the folder itself, or, for a worker that is not the chief, a temporary one.
        config: what the run was started with.
        facts: what ``run.json`` holds.
        strategy: the `tf.distribute.Strategy` to train under.
        finished_step: the step at which an earlier start has finished, to the last evaluation; None if none has.
        differences: what differs from the earlier start: a `ganlib.resuming.Differences`.
    """

    folder: pathlib.Path
    workdir: pathlib.Path
    config: ml_collections.ConfigDict
    facts: dict
    strategy: tf.distribute.Strategy = dataclasses.field(default_factory=tf.distribute.get_strategy)
    finished_step: int | None = None
    differences: resuming.Differences = dataclasses.field(default_factory=resuming.Differences)

    @property
    def is_chief(self):
        """Whether this process is the one among the workers that writes the folder; true of a single process."""
        return strategy.is_chief(self.strategy)

    @property
    def image_shape(self):
        """``(height, width, channels)`` of the data."""
        return tuple(self.facts["image_shape"])

    @property
    def class_names(self):
        """The names of the data's classes; empty when there are none."""
        return tuple(self.facts["class_names"])

    @property
    def instances(self):
        """The config's group ``instances``, of a GAN that is told them; None for others, and runs of a time without such."""
        own = self.config.get("instances")
        return own if own and own.features else None

    @property
    def samples(self):
        """The folder of sample grids."""
        return self.workdir / "samples"

    def checkpoints(self, model):
        """The run's `Checkpoints` of ``model``."""
        return Checkpoints(self.folder / "checkpoints", model)

    def best_checkpoint(self, model):
        """The `Checkpoints` that hold the one with the lowest FID, where that is measured in training."""
        return Checkpoints(self.folder / "best_checkpoint", model, keep=None)

    def write(self):
        """Writes ``config.json`` and ``run.json``, making the folder if it is new."""
        write_json(self.workdir / "config.json", _plain(self.config))
        self.write_facts()

    def write_facts(self, finished_step=None):
        """Writes ``run.json``.

        Args:
            finished_step: the step at which the run is finished; None while it goes on.
        """
        write_json(self.workdir / "run.json", self.facts | {"finished_step": finished_step})


def smoke(config):
    """``config``, or, where its ``smoke`` is set, a copy that is tiny and ends after 2 steps, for tests."""
    if not config.smoke:
        return config
    config = config.copy_and_resolve_references()
    small = {"width": 8, "latent_dim": 60, "mapping_layers": 2, "blocks": 1}  # biggan cuts latents into 2 to 6 parts
    networks = [config.generator, config.discriminator]
    if "triple_gan" in config:
        networks.append(config.triple_gan.classifier)
    small |= {
        "backbone": "applications:MobileNetV2",
        "weights": None,
        "backbone_size": 32,
        "taps": 2,
    }  # random weights, at once
    for arguments in networks:
        arguments.update({key: value for key, value in small.items() if key in arguments})
    if "instances" in config:
        config.instances.update(embedding_dim=60, kept=10)
    config.update(steps=2, steps_per_execution=1, batch_size=8, log_every=1)
    return config


def open_data(config, split="train"):
    """The `ganlib.data.Source` that a config names, by default what it trains on."""
    keys = ("image_size", "data_dir", "skip_corrupt", "background")
    source = data.open(config.dataset, split, **{key: config[key] for key in keys})
    return source.of_classes(config.classes.split(",")) if config.get("classes") else source


def open_data_of(run, data_dir=None):
    """The `ganlib.data.Source` of the images that a run was trained on, of all of them, to measure or explain its model by.

    Args:
        run: a `Run`.
        data_dir: where TFDS datasets lie now; None takes the config's.

    Raises:
        UserError: if the classes or the shape of the images are others than in training. A label of the model would be that
            of another class.
    """
    config = run.config.copy_and_resolve_references()
    config.data_dir = data_dir or config.data_dir
    source = open_data(config)
    facts = {key: resuming.data_facts(source)[key] for key in ("image_shape", "class_names")}
    refusal = resuming.differences(({}, run.facts), ({}, facts)).refusal
    if refusal:
        raise UserError(f"{str(run.folder)!r} was trained on {refusal}: bring the images back as they were")
    return source


def open_unlabeled(config):
    """The `ganlib.data.Source` of unlabelled images that a config names apart from its dataset; None without one."""
    if not config.unlabeled_dataset:
        return None
    config = config.copy_and_resolve_references()
    config.dataset = config.unlabeled_dataset
    return open_data(config)


def checked(workdir, config, defaults):
    """``config``, if there is nothing in it that a run cannot do: see `ganlib.keys.check`.

    Where a run is there already, perhaps of an older version, which let them pass, the keys that do nothing are said and
    left at their defaults. They change nothing, so the run may go on.

    Args:
        workdir: the run's folder.
        config: the `ConfigDict` to train by.
        defaults: that of all keys of the job, with their defaults.

    Raises:
        UserError: for a value that a key cannot have, or, of a new run, a key that does nothing.
    """
    keys.check_values(config, defaults)
    idle = keys.idle(config, defaults)
    if not idle:
        return config
    if not (pathlib.Path(workdir) / "config.json").exists():
        raise UserError("; ".join(idle.values()))
    for line in idle.values():
        print(f"note: {line}", flush=True)
    return keys.without_idle(config, defaults, idle)


def start(workdir, config, source, accept_new_config=False, distribution=None, defaults=None, **facts):
    """Opens a run folder for training. Nothing is written yet: `fit` does, once all is known to be well.

    Args:
        workdir: the folder.
        config: the `ConfigDict` to train by.
        source: the `ganlib.data.Source` to train on.
        accept_new_config: take ``config`` and the data although the folder was made with others.
        distribution: the `tf.distribute.Strategy` to train under; None takes the current one.
        defaults: the `ConfigDict` of all keys with their defaults, for those that the config of an older version lacks.
        facts: what else ``run.json`` shall hold.

    Returns:
        A `Run`.

    Raises:
        UserError: if the folder was made with another config or other data, showing what differs.
    """
    if config.steps < 1:
        raise UserError(f"steps must be at least 1, got {config.steps}")
    if config.steps % config.steps_per_execution:
        raise UserError(
            f"steps={config.steps} is not a multiple of steps_per_execution={config.steps_per_execution}: make it one"
        )
    workdir = pathlib.Path(workdir)
    distribution = distribution or tf.distribute.get_strategy()
    facts = resuming.data_facts(
        source, **facts, ganlib=ganlib.__version__, tensorflow=tf.__version__, keras=keras.__version__,
        python=platform.python_version(), devices=[d.device_type for d in tf.config.list_physical_devices()],
        replicas=distribution.num_replicas_in_sync,
    )  # fmt: skip
    old_config, old_facts = (_read_json(workdir / name) for name in ("config.json", "run.json"))
    if old_config and defaults:
        old_config = keys.filled(old_config, defaults)
    differences = resuming.differences((old_config, old_facts), (_plain(config), facts), keys.unread(config))
    if differences.refusal and not accept_new_config:
        raise UserError(
            f"{str(workdir)!r} was made with {differences.refusal}. "
            "Choose another --workdir, or pass --accept_new_config to go on with what is given now"
        )
    own = workdir if strategy.is_chief(distribution) else _scratch()
    finished_step = old_facts.get("finished_step", math.inf)  # ganlib did not write it once, and takes it to be finished
    return Run(workdir, own, config, facts, distribution, finished_step, differences)


@contextlib.contextmanager
def writing(workdir, distribution=None):
    """Inside the block no other job trains in a folder; of several workers the chief sees to that.

    Args:
        workdir: the run's folder.
        distribution: the `tf.distribute.Strategy` to train under; None takes the current one.

    Raises:
        UserError: if another job does.
    """
    is_chief = strategy.is_chief(distribution or tf.distribute.get_strategy())
    with locked(workdir) if is_chief else contextlib.nullcontext():
        yield


def _scratch():
    """A folder that lives as long as the process."""
    folder = tempfile.TemporaryDirectory(prefix="ganlib-worker-")
    atexit.register(folder.cleanup)
    return pathlib.Path(folder.name)


def open_run(workdir):
    """The `Run` in an existing folder.

    Raises:
        UserError: if there is none.
    """
    workdir = pathlib.Path(workdir)
    if not (workdir / "config.json").exists() or not (workdir / "run.json").exists():
        raise UserError(f"no run in {str(workdir)!r}: it has no config.json and run.json; train one there first")
    config = ml_collections.ConfigDict(_read_json(workdir / "config.json"))
    return Run(workdir, workdir, config, _read_json(workdir / "run.json"))


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
    if not isinstance(model, GAN):
        raise UserError(f"run {str(workdir)!r} is a classifier without a generator: give the --workdir of a GAN")
    return model


def fit(run, model, batches, evaluate=None, label="", samples=True):
    """Trains ``model`` to the config's number of steps, from the newest checkpoint if there is one.

    Args:
        run: a `Run`.
        model: from `build`.
        batches: ``batches(start_step)`` -> a `tf.data.Dataset` of endless batches.
        evaluate: ``evaluate(model) -> dict`` of numbers to log every ``evaluate_every`` steps, or None. Of a ``"fid"``
            among them the best checkpoint is kept.
        label: what to call it in the progress bar.
        samples: whether the model generates images, to be written as grids.

    Raises:
        UserError: when the loss is not finite, the disk is full, or an image is corrupt.
    """
    config, checkpoints = run.config, run.checkpoints(model)
    start_step = checkpoints.restore() or 0
    strategy.check_same(run.strategy, "the step of the newest checkpoint", start_step)
    steps_left = max(config.steps - start_step, 0)
    _say_how_it_goes_on(run, start_step, steps_left)
    if steps_left:
        dataset = batches(start_step)
        strategy.check_shares(run.strategy, dataset, config.accumulation_steps * config.get("discriminator_steps", 1))
        run.write()
    elif run.finished_step is not None:
        return
    checkpoints.set_aside_after(start_step)
    best = BestCheckpoint(run.best_checkpoint(model), "fid", checkpoints)
    callbacks = [
        SaveCheckpoints(checkpoints, every=0),  # at the end, before all that may fail there
        StopAtNonFinite(patience=SKIPPED_IN_A_ROW if config.non_finite == "skip" else 0),
        LogMetrics(run.workdir, config.log_every, evaluate, config.evaluate_every, best, checkpoints.notes),
        *([SaveSamples(run.samples, config.sample_every)] if samples else []),
        SaveCheckpoints(checkpoints, config.checkpoint_every),
        Progress(config.steps, label),
    ]
    try:
        with signals.noted() as received:
            callbacks.append(StopWhenAsked(checkpoints, received))
            if steps_left:
                model.fit(dataset, steps_per_epoch=steps_left, verbose=0, callbacks=callbacks)
            else:
                _finish(model, callbacks)
    except OSError as error:
        raise UserError(f"training stopped: {error}; the checkpoints hold what was good") from None
    # The others wait here, or they would read what the chief still writes.
    strategy.check_same(run.strategy, "the last step", int(model.step.numpy()))
    run.write_facts(finished_step=int(model.step.numpy()))


def _say_how_it_goes_on(run, start_step, steps_left):
    config, folder = run.config, str(run.folder)
    if not start_step:
        return
    if not steps_left and run.differences.refusal:
        raise UserError(
            f"{folder!r} is complete: it has {start_step} steps, made with {run.differences.refusal}. "
            "Give more steps to go on with what is given now, or choose another --workdir"
        )
    if steps_left % config.steps_per_execution:
        raise UserError(
            f"{folder!r} goes on from step {start_step}, and the {steps_left} steps up to {config.steps} are no multiple of "
            f"steps_per_execution={config.steps_per_execution}: make that 1, or change steps"
        )
    how = f"resuming {folder!r} from step {start_step}"
    print(how if steps_left else f"{folder!r} is complete: it has {start_step} steps", flush=True)
    for difference in run.differences.said:
        print(f"since its last start: {difference}; the weights may differ by rounding", flush=True)


def _finish(model, callbacks):
    """What is left to do at the end of a training whose last step was made by a process that was killed after it."""
    ends = keras.callbacks.CallbackList(callbacks, model=model)
    ends.on_train_begin()
    ends.on_train_end()


def _plain(config):
    return json.loads(config.to_json_best_effort())


def _read_json(path):
    """The dict in a JSON file; an empty one without a file."""
    value = read_dict(path)
    if value is None:
        raise UserError(f"{str(path)!r} is damaged: it is not JSON; restore it or choose another --workdir")
    return value
