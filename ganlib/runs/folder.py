"""The folder of a run and its contents.

The folder holds ``config.json`` (the config), ``run.json`` (facts about the data and the software), ``metrics.jsonl``,
``speed.jsonl``, ``tensorboard/``, ``checkpoints/``, ``samples/`` and, once training has finished, ``report.html``.
"""

import atexit
import contextlib
import dataclasses
import json
import math
import pathlib
import platform
import tempfile

import keras
import ml_collections
import tensorflow as tf

import ganlib
from ganlib.errors import UserError
from ganlib.files import read_dict, write_json
from ganlib.locks import locked
from ganlib.runs import keys, resuming
from ganlib.training import checkpoint, strategy
from ganlib.training.checkpoint import Checkpoints


@dataclasses.dataclass(frozen=True)
class Run:
    """An open run folder.

    Attributes:
        folder: The run's folder. Every worker reads its checkpoints from here.
        workdir: The folder that this process writes to: ``folder``, or a temporary folder for a worker that is not the chief.
        config: The `ConfigDict` that the run was started with.
        facts: The contents of ``run.json``, a dict.
        strategy: The `tf.distribute.Strategy` to train under.
        finished_step: The step at which an earlier start finished, including its last evaluation; None if none has finished.
        differences: The `ganlib.runs.resuming.Differences` from the earlier start.
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
        """True if this process writes the folder: the chief among several workers, or a single process."""
        return strategy.is_chief(self.strategy)

    @property
    def image_shape(self):
        """``(height, width, channels)`` of the data."""
        return tuple(self.facts["image_shape"])

    @property
    def class_names(self):
        """The class names of the data; an empty tuple if there are none."""
        return tuple(self.facts["class_names"])

    @property
    def instances(self):
        """The config group ``instances`` of an instance-conditioned GAN; None for other models, and for runs created before
        this key existed."""
        group = self.config.get("instances")
        return group if group and group.features else None

    @property
    def samples(self):
        """The folder of sample grids."""
        return self.workdir / "samples"

    def checkpoints(self, model):
        """Returns the run's `Checkpoints` of ``model``."""
        return Checkpoints(self.folder / "checkpoints", model)

    def best_checkpoint(self, model):
        """Returns the `Checkpoints` that hold the best checkpoint: of a GAN, that with the lowest FID, if the FID is computed
        during training; of a classifier with ``selected_step="best"``, that with the highest accuracy on held-out images."""
        return Checkpoints(self.folder / "best_checkpoint", model, keep=None)

    @property
    def selects_best_step(self):
        """True if a classifier is tested and used as it was at its best step, instead of the last one."""
        return self.config.get("selected_step") == "best"

    def selected_checkpoints(self, model):
        """Returns the `Checkpoints` of the step at which the model is tested and used: the best ones of a classifier with
        ``selected_step="best"``, once it was evaluated, otherwise those of the training."""
        best = self.best_checkpoint(model)
        return best if self.selects_best_step and best.steps() else self.checkpoints(model)

    def write(self):
        """Writes ``config.json`` and ``run.json``. Creates the folder if it does not exist."""
        write_json(self.workdir / "config.json", _plain(self.config))
        self.write_facts()

    def write_facts(self, finished_step=None):
        """Writes ``run.json``.

        Args:
            finished_step: The step at which the run finished; None while it is training. Defaults to None.
        """
        write_json(self.workdir / "run.json", self.facts | {"finished_step": finished_step})


def checked(workdir, config, defaults):
    """Returns ``config`` after checking it with `ganlib.runs.keys.check`.

    An existing run may come from an older version that accepted keys that have no effect. In this case, the keys are printed
    and reset to their defaults. This does not change the training, so the run can resume.

    Args:
        workdir: The run's folder.
        config: The `ConfigDict` to train with.
        defaults: The `ConfigDict` of all keys of the job, with their default values.

    Returns:
        The config, without keys that have no effect.

    Raises:
        UserError: If a value is invalid, or if a new run sets a key that has no effect.
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
    """Opens a run folder for training. Nothing is written yet: `fit` writes the folder once every check has passed.

    Args:
        workdir: The folder.
        config: The `ConfigDict` to train with.
        source: The `ganlib.data.Source` to train on.
        accept_new_config: Whether to accept ``config`` and ``source`` even if the folder was created with others. Defaults to
            False.
        distribution: The `tf.distribute.Strategy` to train under; None uses the current one. Defaults to None.
        defaults: The `ConfigDict` of all keys with their default values, to fill in keys that the config of an older version
            lacks. Defaults to None, which fills in no keys.
        **facts: Further entries of ``run.json``.

    Returns:
        A `Run`.

    Raises:
        UserError: If the folder was created with another config or other data; the message lists the differences.
    """
    if config.steps < 1:
        raise UserError(f"steps must be at least 1, got {config.steps}")
    if config.steps % config.steps_per_execution:
        raise UserError(
            f"steps={config.steps} is not a multiple of steps_per_execution={config.steps_per_execution}: change one of them"
        )
    workdir = pathlib.Path(workdir)
    distribution = distribution or tf.distribute.get_strategy()
    facts = resuming.data_facts(
        source, **facts, ganlib=ganlib.__version__, tensorflow=tf.__version__, keras=keras.__version__,
        python=platform.python_version(), devices=[d.device_type for d in tf.config.list_physical_devices()],
        replicas=distribution.num_replicas_in_sync,
    )  # fmt: skip
    old_config, old_facts = (_read_json(workdir / name) for name in ("config.json", "run.json"))
    # A resumed run keeps the networks with which it was created, also where their default arguments have changed since.
    facts["defaults_of"] = old_facts.get("defaults_of", "0.1.0" if old_facts else ganlib.__version__)
    if old_config and defaults:
        old_config = keys.filled(old_config, defaults)
    differences = resuming.differences((old_config, old_facts), (_plain(config), facts), keys.unread(config))
    if differences.refusal and not accept_new_config:
        raise UserError(
            f"{str(workdir)!r} was created with {differences.refusal}. "
            "Choose another --workdir, or pass --accept_new_config to continue with the current config and data"
        )
    writable = workdir if strategy.is_chief(distribution) else _scratch()
    finished_step = old_facts.get("finished_step", math.inf)  # earlier versions did not write it; assume the run is finished
    return Run(workdir, writable, config, facts, distribution, finished_step, differences)


@contextlib.contextmanager
def writing(workdir, distribution=None):
    """Prevents other jobs from training in a folder inside the block. With several workers the chief holds the lock.

    Args:
        workdir: The run's folder.
        distribution: The `tf.distribute.Strategy` to train under; None uses the current one. Defaults to None.

    Raises:
        UserError: If another job is training in the folder.
    """
    is_chief = strategy.is_chief(distribution or tf.distribute.get_strategy())
    with locked(workdir) if is_chief else contextlib.nullcontext():
        try:
            yield
        finally:  # also after an error, no checkpoint is written without the lock
            checkpoint.wait_for_all()


def _scratch():
    """Creates a folder that is deleted when the process exits."""
    folder = tempfile.TemporaryDirectory(prefix="ganlib-worker-")
    atexit.register(folder.cleanup)
    return pathlib.Path(folder.name)


def open_run(workdir):
    """Returns the `Run` in an existing folder.

    Raises:
        UserError: If the folder holds no run.
    """
    workdir = pathlib.Path(workdir)
    if not (workdir / "config.json").exists() or not (workdir / "run.json").exists():
        raise UserError(f"no run in {str(workdir)!r}: it has no config.json and run.json; train one there first")
    config = ml_collections.ConfigDict(keys.with_earlier_settings(_read_json(workdir / "config.json")))
    return Run(workdir, workdir, config, _read_json(workdir / "run.json"))


def _plain(config):
    return json.loads(config.to_json_best_effort())


def _read_json(path):
    """Returns the dict in a JSON file, or an empty dict if the file does not exist."""
    value = read_dict(path)
    if value is None:
        raise UserError(f"{str(path)!r} is damaged: it is not JSON; restore it or choose another --workdir")
    return value
