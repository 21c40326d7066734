"""What happens beside the training: progress, logs, sample grids, checkpoints, and the stop at a non-finite loss.

All count in train steps of the model, so they go on where a resumed run left off.
"""

import json
import math
import pathlib
import shutil
import signal
import sys
import time

import keras
import tensorflow as tf

from ganlib import plots
from ganlib.errors import Stopped, UserError
from ganlib.files import written_whole
from ganlib.training import strategy

SHORT_NAMES = {
    "discriminator_loss": "D loss", "generator_loss": "G loss", "real_logits": "D(real)", "fake_logits": "D(fake)",
}  # fmt: skip
"""What the progress bar shows first, and how it calls it."""


class StepCallback(keras.callbacks.Callback):
    """A callback that knows the model's step. Subclasses define ``on_step(step, logs)``, called after each execution."""

    def on_train_begin(self, logs=None):
        self.first_step = self.step = self.previous_step = int(self.model.step.numpy())

    def on_train_batch_end(self, batch, logs=None):
        self.previous_step, self.step = self.step, self.first_step + batch + 1
        self.on_step(self.step, logs or {})

    def on_step(self, step, logs):
        """Called with the number of steps made so far and the logs of the last execution, as floats."""

    def is_due(self, every):
        """Whether a multiple of ``every`` steps was reached in this execution; 0 is never."""
        return every > 0 and self.step // every > self.previous_step // every


class StopAtNonFinite(StepCallback):
    """Raises `UserError` when a logged value is infinite or not a number, naming the step and the term.

    Put it before `SaveCheckpoints`, so that what it stops is never saved.

    Args:
        patience: how many times in a row it lets that pass, where the model skips such steps.
    """

    def __init__(self, patience=0):
        super().__init__()
        self.patience, self.passed = patience, 0

    def on_step(self, step, logs):
        bad = [f"{name} = {value}" for name, value in logs.items() if not math.isfinite(value)]
        self.passed = self.passed + 1 if bad else 0
        if self.passed > self.patience:
            first = self.previous_step + 1
            where = f"step {step}" if first == step else f"steps {first} to {step}"
            raise UserError(f"training stopped at {where}: {', '.join(bad)}; the checkpoints hold what was good. "
                            "Lower the learning rate, or set a penalty on the discriminator")  # fmt: skip


class SaveCheckpoints(StepCallback):
    """Saves a checkpoint every ``every`` steps and at the end.

    Args:
        checkpoints: a `ganlib.training.checkpoint.Checkpoints`.
        every: in steps; 0 saves at the end only.
    """

    def __init__(self, checkpoints, every):
        super().__init__()
        self.checkpoints, self.every = checkpoints, every

    def on_step(self, step, logs):
        if self.is_due(self.every):
            self.checkpoints.save()

    def on_train_end(self, logs=None):
        self.checkpoints.save()
        self.checkpoints.wait()


class SaveSamples(StepCallback):
    """Writes ``step_00001000.png``, a grid of images from the same latents each time; in the end also
    ``interpolation.png``, whose rows lead from one image to another.

    Args:
        folder: where to write.
        every: in steps; 0 writes at the end only.
    """

    def __init__(self, folder, every):
        super().__init__()
        self.folder, self.every = pathlib.Path(folder), every

    def on_step(self, step, logs):
        if self.is_due(self.every):
            self._write()

    def on_train_end(self, logs=None):
        self._write()
        plots.interpolation_grid(self.model).save(self.folder / "interpolation.png")

    def _write(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        plots.sample_grid(self.model).save(self.folder / f"step_{self.step:08d}.png")


class BestCheckpoint:
    """Keeps a checkpoint of the step at which a number was lowest.

    Args:
        checkpoints: a `ganlib.training.checkpoint.Checkpoints` that keeps one.
        name: of the number, such as ``"fid"``.
    """

    def __init__(self, checkpoints, name):
        self.checkpoints, self.name, self.lowest = checkpoints, name, math.inf

    def begin(self, rows):
        """Takes the rows of ``metrics.jsonl`` that were written before training goes on."""
        self.lowest = min((row[self.name] for row in rows if self.name in row), default=math.inf)

    def offer(self, numbers):
        """Saves a checkpoint if ``numbers`` are the best so far."""
        if numbers.get(self.name, math.inf) < self.lowest:
            self.lowest = numbers[self.name]
            self.checkpoints.save()


class StopWhenAsked(StepCallback):
    """Saves a checkpoint and raises `Stopped` at the end of a step by which a signal has come, to any of the workers.

    Args:
        checkpoints: a `ganlib.training.checkpoint.Checkpoints`.
        received: the list of signals, from `ganlib.training.signals.noted`.
    """

    def __init__(self, checkpoints, received):
        super().__init__()
        self.checkpoints, self.received = checkpoints, received

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        distribution = self.model.distribute_strategy
        several = strategy.num_workers(distribution) > 1
        self._share_asked = strategy.mean_over_workers(distribution) if several else lambda flags: flags

    def on_step(self, step, logs):
        (share,) = self._share_asked([float(bool(self.received))])
        if share:
            self.checkpoints.save()
            self.checkpoints.wait()
            raise Stopped(self.received[0] if self.received else signal.SIGTERM, step)


class LogMetrics(StepCallback):
    """Writes means over ``every`` steps to ``metrics.jsonl`` and to TensorBoard event files, and how long they took to
    ``speed.jsonl``. So the first is a function of the config alone. Steps whose logs are not finite are left out and
    counted, as ``non_finite_steps``.

    Rows that lie beyond the step where training begins are of a run that was killed before its next checkpoint;
    they are dropped, so that no step appears twice.

    Args:
        workdir: the run's folder.
        every: in steps.
        evaluate: ``evaluate(model) -> dict`` of further numbers, or None.
        evaluate_every: in steps; 0 evaluates at the end only.
        best: a `BestCheckpoint` that is offered each evaluation, or None.
        window: a dict, where the sums since the last row are kept. Saved in checkpoints and given again, it lets a resumed
            run write the rows that it would have written.
    """

    def __init__(self, workdir, every, evaluate=None, evaluate_every=0, best=None, window=None):
        super().__init__()
        self.workdir, self.every = pathlib.Path(workdir), every
        self.evaluate, self.evaluate_every, self.best = evaluate, evaluate_every, best
        self.window = {} if window is None else window

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.path, self.speed = self.workdir / "metrics.jsonl", self.workdir / "speed.jsonl"
        for path in (self.speed, self.path):
            rows = [row for row in read_rows(path) if row["step"] <= self.first_step]
            write_rows(path, rows)
        if self.best:
            self.best.begin(rows)
        self.writer = tf.summary.create_file_writer(str(self.workdir / "tensorboard"))
        if not self.window:
            self._empty_window()
        self._start_clock()

    def on_step(self, step, logs):
        executed, sums = step - self.previous_step, self.window["sums"]
        if all(map(math.isfinite, logs.values())):
            self.window["steps"] += executed
            for name, value in logs.items():
                sums[name] = sums.get(name, 0.0) + executed * float(value)
        else:
            self.window["non_finite_steps"] += executed
        if self.is_due(self.every):
            self._write_means()
        if self.is_due(self.evaluate_every):
            self._write_evaluation()

    def on_train_end(self, logs=None):
        if self.window["steps"] or self.window["non_finite_steps"]:
            self._write_means()
        if self.step > self.first_step and not (self.evaluate_every and self.step % self.evaluate_every == 0):
            self._write_evaluation()
        if self.best:
            self.best.checkpoints.wait()
        self.writer.close()

    def _write_means(self):
        row = {name: value / self.window["steps"] for name, value in self.window["sums"].items()}
        skipped = self.window["non_finite_steps"]
        self._write(row | ({"non_finite_steps": skipped} if skipped else {}))
        self._empty_window()
        self._write_speed("steps_per_second", (self.step - self.clock_step) / (time.monotonic() - self.started))
        self._start_clock()

    def _write_evaluation(self):
        if self.evaluate is not None:
            started = time.monotonic()
            numbers = self.evaluate(self.model)
            self._write(numbers)
            if self.best:
                self.best.offer(numbers)
            self._write_speed("evaluation_seconds", time.monotonic() - started)
            self.started += time.monotonic() - started

    def _write(self, numbers):
        append_row(self.path, {"step": self.step} | {k: float(v) for k, v in numbers.items()})
        with self.writer.as_default():
            for name, value in numbers.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step=self.step, metadata=_scalar_metadata())

    def _write_speed(self, name, value):
        append_row(self.speed, {"step": self.step, name: value})

    def _empty_window(self):
        self.window.update(steps=0, sums={}, non_finite_steps=0)

    def _start_clock(self):
        self.clock_step, self.started = self.step, time.monotonic()


class Progress(StepCallback):
    """Shows step, steps per second, time left, losses: a bar that renews itself, or lines when redirected to a file.

    Args:
        total_steps: the step at which training will end.
        label: what is being trained, shown first.
        seconds: time between two lines when the output is not a terminal.
        output: where to write; None is standard output.
    """

    def __init__(self, total_steps, label="", seconds=10.0, output=None):
        super().__init__()
        self.total_steps, self.label = total_steps, label
        self.output = output or sys.stdout
        self.live = self.output.isatty()
        self.seconds = 0.25 if self.live else seconds

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.clock_step, self.clock_start, self.shown = self.step, None, 0.0
        self.last = {}

    def on_step(self, step, logs):
        now = time.monotonic()
        self.last = logs
        if self.clock_start is None:  # the first execution is mostly tracing
            self.clock_start, self.clock_step = now, step
        if now - self.shown >= self.seconds:
            self.shown = now
            self._show(now)

    def on_train_end(self, logs=None):
        if self.step > self.first_step:
            self._show(time.monotonic(), end="\n")

    def _show(self, now, end=""):
        steps = self.step - self.clock_step
        rate = steps / (now - self.clock_start) if steps else 0.0
        left = f"{duration((self.total_steps - self.step) / rate)} left" if rate else "starting"
        values = "  ".join(f"{name} {value:.3f}" for name, value in _by_short_name(self.last))
        head = f"{self.label}  " if self.label else ""
        done = f"{_bar(self.step / self.total_steps)} {self.step}/{self.total_steps}"
        text = f"{head}{done}  {rate:.2f} steps/s  {left}  {values}"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.output.write("\r" + text[:width].ljust(width) + end)
        else:
            self.output.write(text + "\n")
        self.output.flush()


def _scalar_metadata():
    """What marks a summary as a scalar. `tf.summary.scalar` writes the same, but wants TensorBoard installed."""
    metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"
    return metadata


def read_rows(path):
    """The rows of a ``metrics.jsonl``; none when there is no file. A last line cut short by a kill is left out."""
    path = pathlib.Path(path)
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def append_row(path, row):
    """Adds a row to JSON lines."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def write_rows(path, rows):
    """Writes rows as JSON lines, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows))


def duration(seconds):
    """``75.2`` -> ``"1:15"``, ``3675`` -> ``"1:01:15"``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _bar(share, width=20):
    full = round(width * share)
    return "[" + "#" * full + "." * (width - full) + "]"


def _by_short_name(logs):
    """Pairs of names and values, those of `SHORT_NAMES` first."""
    first = [(short, logs[name]) for name, short in SHORT_NAMES.items() if name in logs]
    return first + [(name.replace("_", " "), value) for name, value in logs.items() if name not in SHORT_NAMES]
