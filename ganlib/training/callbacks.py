"""What happens beside the training: logs, sample grids, checkpoints, and the stop at a non-finite loss.

All count in train steps of the model, so they go on where a resumed run left off.
"""

import logging
import math
import pathlib
import signal
import time
import zlib

import keras
import tensorflow as tf

from ganlib import plots
from ganlib.errors import Stopped, UserError
from ganlib.files import append_row, read_rows, row_as_text, write_rows, written_whole
from ganlib.training import strategy


class StepCallback(keras.callbacks.Callback):
    """A callback that knows the model's step. Subclasses define ``on_step(step, logs)``, called after each execution."""

    def on_train_begin(self, logs=None):
        self.first_step = self.step = self.previous_step = self._epochs_first_step = int(self.model.step.numpy())

    def on_epoch_begin(self, epoch, logs=None):
        self._epochs_first_step = int(self.model.step.numpy())

    def on_train_batch_end(self, batch, logs=None):  # Keras counts batches from each epoch's first
        self.previous_step, self.step = self.step, self._epochs_first_step + batch + 1
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
    ``interpolation.png``, whose rows lead from one image to another. Grids of later steps than that where training begins
    are of a part of a run that was lost, and are removed.

    Args:
        folder: where to write.
        every: in steps; 0 writes at the end only.
    """

    def __init__(self, folder, every):
        super().__init__()
        self.folder, self.every = pathlib.Path(folder), every

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.written_step = None
        for grid in self.folder.glob("step_*.png"):
            if grid.name > self._name(self.first_step):
                grid.unlink()

    def on_step(self, step, logs):
        if self.is_due(self.every):
            self._write_grid()

    def on_train_end(self, logs=None):
        if self.written_step != self.step:
            self._write_grid()
        self._write("interpolation.png", plots.interpolation_grid(self.model))

    def _write_grid(self):
        self._write(self._name(self.step), plots.sample_grid(self.model))
        self.written_step = self.step

    def _write(self, name, image):
        with written_whole(self.folder / name) as partial:
            image.save(partial)

    @staticmethod
    def _name(step):
        return f"step_{step:08d}.png"


class BestCheckpoint:
    """Keeps a checkpoint of the step at which a number was lowest.

    Args:
        checkpoints: a `ganlib.training.checkpoint.Checkpoints`, whose notes hold the number.
        name: of the number, such as ``"fid"``.
        resumed_from: the `ganlib.training.checkpoint.Checkpoints` from which training may go on, or None. The best one of
            before the oldest of them is kept too: a run that goes on from there has to know what was best then.
    """

    def __init__(self, checkpoints, name, resumed_from=None):
        self.checkpoints, self.name, self.resumed_from, self.lowest = checkpoints, name, resumed_from, math.inf

    def begin(self, rows, first_step):
        """Learns what was best before training goes on.

        A checkpoint of a later step is of a part of the run that was lost, and is removed; a damaged one is set aside.

        Args:
            rows: those of ``metrics.jsonl`` that were written before.
            first_step: the step where training goes on.
        """
        for later in [step for step in self.checkpoints.steps() if step > first_step]:
            self.checkpoints.remove(later)
        step = self.checkpoints.find()
        self.checkpoints.set_aside_after(-1 if step is None else step)
        noted = self.checkpoints.notes.get(self.name)
        numbers = [noted] if noted is not None else [row[self.name] for row in rows if self.name in row and row["step"] == step]
        self.lowest = min(filter(math.isfinite, numbers), default=math.inf)

    def save_if_best(self, numbers):
        """Saves a checkpoint if ``numbers`` are the best so far."""
        if numbers.get(self.name, math.inf) < self.lowest:
            self.lowest = self.checkpoints.notes[self.name] = float(numbers[self.name])
            self.checkpoints.save()
            self._prune()

    def end(self):
        """Waits until the best checkpoint is written, and removes those before it that are not needed any more."""
        self.checkpoints.wait()
        self._prune()

    def _prune(self):
        """Removes those that no run that goes on can need."""
        if self.resumed_from is not None:
            oldest = min(self.resumed_from.steps(), default=math.inf)
            for step in [step for step in self.checkpoints.steps() if step <= oldest][:-1]:
                self.checkpoints.remove(step)


class StopOnSignal(StepCallback):
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
            run write the rows that it would have written. It also holds the number and a checksum of the rows, by which
            lost or changed ones are noticed.
    """

    def __init__(self, workdir, every, evaluate=None, evaluate_every=0, best=None, window=None):
        super().__init__()
        self.workdir, self.every = pathlib.Path(workdir), every
        self.evaluate, self.evaluate_every, self.best = evaluate, evaluate_every, best
        self.window = {} if window is None else window

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.path, self.speed = self.workdir / "metrics.jsonl", self.workdir / "speed.jsonl"
        self.writer, self.evaluated_step = None, None
        if "steps" not in self.window:
            self._empty_window()
        write_rows(self.speed, self._rows_before(self.speed))
        self._begin_rows(self._rows_before(self.path))
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
        if self.evaluated_step != self.step:
            self._write_evaluation()
        if self.best:
            self.best.end()
        if self.writer:
            self.writer.close()

    def _rows_before(self, path):
        return [row for row in read_rows(path) if row["step"] <= self.first_step]

    def _begin_rows(self, rows):
        """Writes the rows that stay, after a look at whether they are those that the checkpoint knows of."""
        noted = self.window.get("rows")
        if noted is not None and (len(rows) < noted or _checksum(rows[:noted]) != self.window["crc32"]):
            message = "%s: rows up to step %d were lost or changed; the curves have gaps, the training has not"
            logging.getLogger("ganlib").warning(message, self.path, self.first_step)
        if self.window["steps"] or self.window["non_finite_steps"]:  # the last mean was over an interval that now goes on
            names = {*self.window["sums"], "non_finite_steps"}
            rows = [row for row in rows if row["step"] < self.first_step or not names & set(row)]
        if self.best:
            self.best.begin(rows, self.first_step)
        self._write_all(rows)

    def _write_all(self, rows):
        write_rows(self.path, rows)
        self.window.update(rows=len(rows), crc32=_checksum(rows))

    def _write_means(self):
        row = {name: value / self.window["steps"] for name, value in self.window["sums"].items()}
        skipped = self.window["non_finite_steps"]
        self._write(row | ({"non_finite_steps": skipped} if skipped else {}))
        self._empty_window()
        if self.step > self.clock_step:
            self._write_speed("steps_per_second", (self.step - self.clock_step) / (time.monotonic() - self.started))
        self._start_clock()

    def _write_evaluation(self):
        if self.evaluate is not None:
            started = time.monotonic()
            numbers = self.evaluate(self.model)
            self._write(numbers)
            if self.best:
                self.best.save_if_best(numbers)
            self._write_speed("evaluation_seconds", time.monotonic() - started)
            self.started += time.monotonic() - started
            self.evaluated_step = self.step

    def _write(self, numbers):
        row = {"step": self.step} | {k: float(v) for k, v in numbers.items()}
        if self.step == self.first_step:  # what was missing at the end of a training that is over, or was written just before
            kept = [r for r in read_rows(self.path) if (r["step"], r.keys()) != (row["step"], row.keys())]
            self._write_all(kept)
        append_row(self.path, row)
        self.window.update(rows=self.window["rows"] + 1, crc32=_checksum([row], self.window["crc32"]))
        self.writer = self.writer or tf.summary.create_file_writer(str(self.workdir / "tensorboard"))
        with self.writer.as_default():
            for name, value in numbers.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step=self.step, metadata=_scalar_metadata())

    def _write_speed(self, name, value):
        append_row(self.speed, {"step": self.step, name: value})

    def _empty_window(self):
        self.window.update(steps=0, sums={}, non_finite_steps=0)

    def _start_clock(self):
        self.clock_step, self.started = self.step, time.monotonic()


def _checksum(rows, before=0):
    """A checksum of rows, or of those that had the checksum ``before`` and these after them."""
    return zlib.crc32("".join(map(row_as_text, rows)).encode(), before)


def _scalar_metadata():
    """What marks a summary as a scalar. `tf.summary.scalar` writes the same, but wants TensorBoard installed."""
    metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"
    return metadata
