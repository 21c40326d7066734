"""A run's folder and what is in it.

The folder holds ``config.json`` (the config), ``run.json`` (what the data and the software were), ``metrics.jsonl``,
``speed.jsonl``, ``tensorboard/``, ``checkpoints/``, ``samples/``, and in the end ``report.html``.
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
from ganlib.files import locked, read_dict, write_json
from ganlib.runs import keys, resuming
from ganlib.training import strategy
from ganlib.training.checkpoint import Checkpoints


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
        differences: what differs from the earlier start: a `ganlib.runs.resuming.Differences`.
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


def checked(workdir, config, defaults):
    """``config``, if there is nothing in it that a run cannot do: see `ganlib.runs.keys.check`.

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


def _plain(config):
    return json.loads(config.to_json_best_effort())


def _read_json(path):
    """The dict in a JSON file; an empty one without a file."""
    value = read_dict(path)
    if value is None:
        raise UserError(f"{str(path)!r} is damaged: it is not JSON; restore it or choose another --workdir")
    return value
