"""Callbacks for logs, sample grids and checkpoints, and for stopping at a non-finite loss or on a signal.

All callbacks count the model's train steps, so they continue correctly in a resumed run.
"""

import logging
import math
import pathlib
import signal
import time
import zlib

import keras

from ganlib import locks, plots
from ganlib.errors import Stopped, UserError
from ganlib.files import append_row, read_rows, row_as_text, write_rows, written_whole
from ganlib.training import strategy
from ganlib.training.events import EventFile


class StepCallback(keras.callbacks.Callback):
    """A callback with access to the model's step. Subclasses define ``on_step(step, logs)``, called after each execution."""

    def on_train_begin(self, logs=None):
        self.first_step = self.step = self.previous_step = self._epochs_first_step = int(self.model.step.numpy())

    def on_epoch_begin(self, epoch, logs=None):
        self._epochs_first_step = int(self.model.step.numpy())

    def on_train_batch_end(self, batch, logs=None):  # Keras counts batches from each epoch's first
        self.previous_step, self.step = self.step, self._epochs_first_step + batch + 1
        self.on_step(self.step, logs or {})

    def on_step(self, step, logs):
        """Called with the number of steps so far and the logs of the last execution, as floats."""

    def is_due(self, every):
        """Returns True if this execution reached a multiple of ``every`` steps. Returns False if ``every`` is 0."""
        return every > 0 and self.step // every > self.previous_step // every


class NonFinite(UserError):
    """Raised if the training stops since a logged value is not finite."""


class StopAtNonFinite(StepCallback):
    """Raises `NonFinite` if a logged value is not finite. The message names the step and the value.

    Place it before `SaveCheckpoints`, so that the non-finite state is never saved.

    Args:
        patience: The number of consecutive executions with non-finite logs to tolerate, for a model that skips such steps.
            Defaults to 0.
    """

    def __init__(self, patience=0):
        super().__init__()
        self.patience, self.passed = patience, 0

    def on_step(self, step, logs):
        non_finite = [f"{name} = {value}" for name, value in logs.items() if not math.isfinite(value)]
        self.passed = self.passed + 1 if non_finite else 0
        if self.passed > self.patience:
            first = self.previous_step + 1
            steps = f"step {step}" if first == step else f"steps {first} to {step}"
            raise NonFinite(
                f"training stopped at {steps}: {', '.join(non_finite)}; the earlier checkpoints are still good. "
                "Lower the learning rate, or set a penalty on the discriminator"
            )


class StopIfLockLost(StepCallback):
    """Raises `UserError` if the last heartbeat found that another job had taken over the folder.

    Every write checks the lock itself. This callback ends a job that would otherwise train on until its next write.
    """

    def on_step(self, step, logs):
        locks.check_heartbeat()


class SaveCheckpoints(StepCallback):
    """Saves a checkpoint every ``every`` steps and at the end.

    Args:
        checkpoints: A `ganlib.training.checkpoint.Checkpoints`.
        every: The number of steps between checkpoints. 0 saves at the end only.
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
    """Writes grids of generated images, such as ``step_00001000.png``, always from the same latents.

    At the end it also writes ``interpolation.png``, whose rows interpolate between two images. When training begins, it
    removes grids of later steps, which belong to a lost part of the run.

    Args:
        folder: The folder to write to.
        every: The number of steps between grids. 0 writes at the end only.
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
    """Keeps the checkpoint of the step with the best value of a metric.

    Args:
        checkpoints: A `ganlib.training.checkpoint.Checkpoints`, whose notes hold the value and the selection.
        name: The name of the metric, such as ``"fid"``.
        selection: A JSON-serializable dict of what the values depend on, such as the features. Values before a change of it are
            not comparable, and the next evaluation becomes the best. None if nothing is known or evaluated.
        resumed_from: The `ganlib.training.checkpoint.Checkpoints` that training may resume from. The best checkpoint before the
            oldest of them is kept too, because a run that resumes there needs the best checkpoint up to that step. Defaults to
            None.
        largest: Whether the largest value is the best, as for an accuracy, and of equal values the last. Otherwise the lowest
            is the best, and of equal values the first. Defaults to False.
    """

    def __init__(self, checkpoints, name, selection, resumed_from=None, largest=False):
        self.checkpoints, self.name, self.selection, self.resumed_from = checkpoints, name, selection, resumed_from
        self.largest = largest
        self.best = self._worst

    @property
    def _worst(self):
        return -math.inf if self.largest else math.inf

    def begin(self, rows, first_step):
        """Finds the best value so far, before training starts or resumes.

        Checkpoints of later steps belong to a lost part of the run and are removed. A damaged checkpoint is set aside.

        Args:
            rows: The existing rows of ``metrics.jsonl``.
            first_step: The step where training resumes.
        """
        for later in [step for step in self.checkpoints.steps() if step > first_step]:
            self.checkpoints.remove(later)
        step = self.checkpoints.find()
        self.checkpoints.set_aside_after(-1 if step is None else step)
        saved = self.checkpoints.notes.get(self.name)
        values = [saved] if saved is not None else [row[self.name] for row in rows if self.name in row and row["step"] == step]
        self.best = (max if self.largest else min)(filter(math.isfinite, values), default=self._worst)
        if self.selection is not None and self.checkpoints.notes.get("selection", self.selection) != self.selection:
            message = "the best checkpoint is selected anew: the %s before this change is not comparable"
            logging.getLogger("ganlib").warning(message, self.name)
            self.best = self._worst

    def save_if_best(self, metrics):
        """Saves a checkpoint if the value in ``metrics``, a dict, is the best so far."""
        value = float(metrics.get(self.name, math.nan))
        if value >= self.best if self.largest else value < self.best:
            self.best = self.checkpoints.notes[self.name] = value
            self.checkpoints.notes["selection"] = self.selection
            self.checkpoints.save()
            self._prune()

    def end(self):
        """Waits until the best checkpoint is written, and removes earlier checkpoints that are no longer needed."""
        self.checkpoints.wait()
        self._prune()

    def _prune(self):
        """Removes the checkpoints that no resumed run can need."""
        if self.resumed_from is not None:
            oldest = min(self.resumed_from.steps(), default=math.inf)
            for step in [step for step in self.checkpoints.steps() if step <= oldest][:-1]:
                self.checkpoints.remove(step)


class StopOnSignal(StepCallback):
    """Saves a checkpoint and raises `Stopped` at the end of a step if any worker has received a signal.

    Args:
        checkpoints: A `ganlib.training.checkpoint.Checkpoints`.
        received: The list of received signals, from `ganlib.training.signals.noted`.
    """

    def __init__(self, checkpoints, received):
        super().__init__()
        self.checkpoints, self.received = checkpoints, received

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        distribution = self.model.distribute_strategy
        is_multi_worker = strategy.num_workers(distribution) > 1
        self._mean_over_workers = strategy.mean_over_workers(distribution) if is_multi_worker else lambda flags: flags

    def on_step(self, step, logs):
        (fraction,) = self._mean_over_workers([float(bool(self.received))])
        if fraction:
            self.checkpoints.save()
            self.checkpoints.wait()
            raise Stopped(self.received[0] if self.received else signal.SIGTERM, step)


class LogMetrics(StepCallback):
    """Writes logs, averaged over ``every`` steps, to ``metrics.jsonl`` and TensorBoard event files.

    The speed is written to ``speed.jsonl``, so that ``metrics.jsonl`` depends on the config only. Steps with non-finite logs
    are excluded from the means and counted as ``non_finite_steps``.

    Rows after the step where training begins belong to a run that was killed before its next checkpoint. They are removed, so
    that no step appears twice.

    Args:
        workdir: The folder of the run.
        every: The number of steps between rows. 0 writes a row at the end only.
        evaluate: A function ``evaluate(model) -> dict`` that returns further metrics. Defaults to None.
        evaluate_every: The number of steps between evaluations. Defaults to 0, which evaluates at the end only.
        best: A `BestCheckpoint` that receives each evaluation. Defaults to None.
        window: A dict that holds the sums since the last row. If it is saved in checkpoints and passed again, a resumed run
            writes the same rows as an uninterrupted run. It also holds the number of rows and their checksum, to detect lost
            or changed rows. Defaults to None, which starts with an empty window.
    """

    def __init__(self, workdir, every, evaluate=None, evaluate_every=0, best=None, window=None):
        super().__init__()
        self.workdir, self.every = pathlib.Path(workdir), every
        self.evaluate, self.evaluate_every, self.best = evaluate, evaluate_every, best
        self.window = {} if window is None else window

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.path, self.speed = self.workdir / "metrics.jsonl", self.workdir / "speed.jsonl"
        self.events, self.evaluated_step = EventFile(self.workdir / "tensorboard"), None
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
        self.events.close()

    def _rows_before(self, path):
        return [row for row in read_rows(path) if row["step"] <= self.first_step]

    def _begin_rows(self, rows):
        """Writes the rows to keep, and warns if they differ from the rows at the time of the checkpoint."""
        saved = self.window.get("rows")
        if saved is not None and (len(rows) < saved or _checksum(rows[:saved]) != self.window["crc32"]):
            message = "%s: rows up to step %d were lost or changed; the curves have gaps, but the training is not affected"
            logging.getLogger("ganlib").warning(message, self.path, self.first_step)
        if self.window["steps"] or self.window["non_finite_steps"]:  # the last row is of an interval that now continues
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
            metrics = self.evaluate(self.model)
            self._write(metrics)
            if self.best:
                self.best.save_if_best(metrics)
            self._write_speed("evaluation_seconds", time.monotonic() - started)
            self.started += time.monotonic() - started
            self.evaluated_step = self.step

    def _write(self, metrics):
        row = {"step": self.step} | {k: float(v) for k, v in metrics.items()}
        if self.step == self.first_step:  # a finished training may lack its last row, or already have it
            other_rows = [r for r in read_rows(self.path) if (r["step"], r.keys()) != (row["step"], row.keys())]
            self._write_all(other_rows)
        append_row(self.path, row)
        self.window.update(rows=self.window["rows"] + 1, crc32=_checksum([row], self.window["crc32"]))
        self.events.write(metrics, self.step)

    def _write_speed(self, name, value):
        append_row(self.speed, {"step": self.step, name: value})

    def _empty_window(self):
        self.window.update(steps=0, sums={}, non_finite_steps=0)

    def _start_clock(self):
        self.clock_step, self.started = self.step, time.monotonic()


def _checksum(rows, previous=0):
    """Computes a checksum of rows, or continues the checksum ``previous`` of earlier rows."""
    return zlib.crc32("".join(map(row_as_text, rows)).encode(), previous)
