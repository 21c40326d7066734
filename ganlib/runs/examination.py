"""The examination of a GAN's run while it trains, and afterwards from what was measured."""

import dataclasses
import sys
import time

import numpy as np
import tensorflow as tf

from ganlib import data, plots
from ganlib.diagnostics import run as run_symptoms
from ganlib.diagnostics.callback import SMALLEST_INTERVAL, Diagnose
from ganlib.diagnostics.distances import nearest
from ganlib.diagnostics.history import History
from ganlib.diagnostics.snapshot import Camera, RealImages
from ganlib.errors import UserError
from ganlib.files import append_row, read_rows, write_rows, written_whole
from ganlib.runs import diagnosis, images, loading, report
from ganlib.training.callbacks import StepCallback
from ganlib.training.events import EventFile

RELOAD_SECONDS = 30
"""The time after which the report of a training that goes on reloads itself."""
SHOWN = 16
"""The number of generated images that are shown for a symptom."""


class DiagnoseRun(Diagnose):
    """Examines the GAN of a run while it trains: writes what is measured to ``diagnosis.jsonl`` and TensorBoard, and its
    symptoms to ``diagnosis.json``, with pictures.

    Args:
        run: A `ganlib.runs.Run` of a GAN.
        source: The `ganlib.data.Source` of the training images.
        held_out: The `RealImages` that it is not trained on. Defaults to None.
    """

    def __init__(self, run, source, held_out=None):
        super().__init__(source, held_out, steps=run.config.steps)
        self._run, self._events = run, EventFile(run.workdir / "tensorboard")

    def on_train_begin(self, logs=None):
        rows = read_rows(self._run.folder / diagnosis.ROWS)  # all workers examine at the same steps
        self.rows = [row for row in rows if row["step"] <= int(self.model.step.numpy())]
        super().on_train_begin(logs)
        write_rows(self._run.workdir / diagnosis.ROWS, self.rows)
        self.findings = run_symptoms.of_run(self.history())
        diagnosis.update(self._run.workdir, run=[finding.as_dict() for finding in self.findings])

    def on_step(self, step, logs):  # keeps no logs: they are in metrics.jsonl
        if self.is_due(self.every):
            self._examine()

    def _examine(self):
        started = time.monotonic()
        super()._examine()
        append_row(self._run.workdir / "speed.jsonl", {"step": self.step, "examination_seconds": time.monotonic() - started})

    def history(self):
        return history_of(self._run, self.rows)

    def on_examined(self, snapshot, row):
        append_row(self._run.workdir / diagnosis.ROWS, row)
        diagnosis.update(self._run.workdir, run=[finding.as_dict() for finding in self.findings])
        for finding in self.findings:
            picture = picture_of(finding.symptom, snapshot)
            if picture is not None:
                with written_whole(self._run.workdir / "diagnosis" / f"{finding.symptom}_of_run.png") as partial:
                    picture.save(partial, format="png")
        self._events.write({f"diagnosis/{name}": value for name, value in row.items() if isinstance(value, float)}, self.step)
        super().on_examined(snapshot, row)

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._events.close()


class WriteReport(StepCallback):
    """Rewrites ``report.html`` after each checkpoint, but takes at most a fiftieth of the time.

    The page reloads itself, so that it can be left open in a browser.

    Args:
        run: A `ganlib.runs.Run`.
    """

    def __init__(self, run):
        super().__init__()
        self._run = run

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._next = time.monotonic()

    def on_step(self, step, logs):
        if self._run.is_chief and self.is_due(self._run.config.checkpoint_every) and time.monotonic() >= self._next:
            started = time.monotonic()
            title = f"{self._run.folder.name}: training, {step} of {self._run.config.steps} steps"
            report.write(self._run.folder / "report.html", [self._run.folder], title, reload_seconds=RELOAD_SECONDS)
            self._next = time.monotonic() + 50 * (time.monotonic() - started)


def is_examined(config):
    """Returns whether the training of a config is long enough to be examined."""
    return config.steps >= SMALLEST_INTERVAL


def callbacks(run, all_images, source):
    """Returns the callbacks that examine a run and rewrite its report: none if it is shorter than an examination's interval.

    Args:
        run: A `ganlib.runs.Run` of a GAN.
        all_images: The `ganlib.data.Source` of all images of the dataset.
        source: The source of the training images.
    """
    if run.is_chief and diagnosis.read(run.workdir).get("stopped"):
        diagnosis.update(run.workdir, stopped="")
    if not is_examined(run.config):
        return []
    return [DiagnoseRun(run, source, held_out(run.config, all_images)), WriteReport(run)]


def held_out(config, all_images):
    """Returns the `ganlib.diagnostics.snapshot.RealImages` that a GAN is not trained on: those of its dataset that it leaves
    out, or the test or validation split. Returns None if there are none, or they cannot be read, which is printed.

    Args:
        config: The `ConfigDict` of the GAN.
        all_images: The source of all images of its training split.
    """
    try:
        source = _held_out_source(config, all_images)
        return RealImages.of(source) if source is not None and source.image_shape == all_images.image_shape else None
    except (UserError, OSError, tf.errors.OpError) as error:
        print(f"note: the training is not compared with held-out images: {error}", flush=True)
        return None


def _held_out_source(config, all_images):
    """Returns the `ganlib.data.Source` of held-out images, or None."""
    if config.labels_per_class or config.validation_per_class:
        parts = images.few_labels(config, all_images)
        if parts.validation is not None:
            return parts.validation
        others = data.partition.without_label(all_images, config.labels_per_class, config.label_seed)
        if len(others):
            return data.partition.pool_of(all_images).subset(others)
    split = images.test_split(config)
    return None if split is None else images.open_data(config, split)


def history_of(run, rows=None):
    """Returns the `ganlib.diagnostics.history.History` of a run from its files.

    Args:
        run: A `ganlib.runs.Run`.
        rows: Its measures so far. Defaults to None, which reads them.
    """
    return History(
        rows=read_rows(run.workdir / diagnosis.ROWS) if rows is None else rows,
        steps=run.config.steps,
        logs=read_rows(run.workdir / "metrics.jsonl"),
        stopped=diagnosis.read(run.workdir).get("stopped", ""),
        class_names=run.class_names,
    )


def note_stop(run, error):
    """Writes that a run stopped at a value that is not finite, and its symptoms, to ``diagnosis.json`` and to its report."""
    if run.is_chief:
        found = run_symptoms.of_run(dataclasses.replace(history_of(run), stopped=str(error)))
        diagnosis.update(run.workdir, stopped=str(error), run=[finding.as_dict() for finding in found])
    end_report(run)


def end_report(run):
    """Rewrites the report of a run that was stopped, so that it is not loaded again and again."""
    if run.is_chief and (run.folder / "config.json").exists() and is_examined(run.config):
        title = f"{run.folder.name}: GAN on {run.config.dataset}, stopped"
        report.write(run.folder / "report.html", [run.folder], title)


def of_run(run, data_dir=None):
    """Returns the symptoms of the run of a GAN: a list of `ganlib.diagnostics.Finding`, the surest first.

    They are found in what was measured while it trained. If nothing was, as in runs of earlier versions, its newest checkpoint
    is examined.

    Args:
        run: A `ganlib.runs.Run`.
        data_dir: The folder that now holds the TFDS datasets; None uses the config's ``data_dir``. Defaults to None.
    """
    history = history_of(run)
    if not history.stopped and not any("image_distance" in row for row in history.rows):
        history = dataclasses.replace(history, rows=_examined_now(run, data_dir), is_over=True)
    return run_symptoms.of_run(history)


def _examined_now(run, data_dir):
    """Returns the measures of the newest checkpoint of a run as the only row. It is empty without a checkpoint or images."""
    try:
        model, all_images = loading.load_gan(run.folder), images.open_data_of(run, data_dir)
        camera = Camera(model, images.training_images(run.config, all_images), held_out(run.config, all_images))
    except (UserError, OSError) as error:
        print(f"note: the newest checkpoint is not examined: {error}", file=sys.stderr, flush=True)
        return []
    return [{"step": int(model.step.numpy())} | run_symptoms.measures(camera.snapshot())]


def picture_of(symptom, snapshot):
    """Returns a `PIL.Image.Image` of generated images that show a symptom, or None if they do not show it."""
    shown = snapshot.images[:SHOWN]
    if symptom == "memorization":
        indices = nearest(snapshot.generated[:SHOWN], snapshot.training.pixels)[0][:, 0]
        known = indices < len(snapshot.training.images)
        pairs = np.concatenate([shown[known], snapshot.training.images[indices[known]]])
        return plots.image_grid(pairs, columns=int(known.sum())) if known.any() else None
    if symptom in ("mode_collapse", "labels_ignored", "missing_class", "discriminator_dominates", "generator_dominates"):
        return plots.image_grid(shown, columns=8)
    return None
