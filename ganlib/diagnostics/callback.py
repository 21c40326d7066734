"""`Diagnose`: a Keras callback that examines a GAN while it trains."""

import math

from ganlib.diagnostics import run
from ganlib.diagnostics.history import History
from ganlib.diagnostics.snapshot import Camera, kernels_of
from ganlib.training import strategy
from ganlib.training.callbacks import StepCallback

EXAMINATIONS = 16
"""The number of examinations of a training."""
SMALLEST_INTERVAL = 100
"""The smallest number of steps between them. An examination takes about as long as 2 steps."""
LOG_ROWS = 100
"""The number of rows of mean logs that are kept of a training."""


class Diagnose(StepCallback):
    """Examines a `ganlib.GAN` that generates images while it trains, and prints each symptom when it first appears.

    A training of fewer than 100 steps is not examined. The training is not changed. A symptom is reported if three examinations
    in a row show it, after the first tenth of the training and its first 500 steps, or after three tenths of a short training.
    In a training of fewer than 300 steps, only layers that explode or are dead and values that are not finite are reported.

    Args:
        source: The `ganlib.data.Source` of the training images.
        held_out: The source of images of the same kind that the GAN is not trained on. Defaults to None, without which an
            overfitted discriminator is not found.
        every: The number of steps between examinations. Defaults to None, which is a sixteenth of the training and at least
            100.
        steps: The step at which the training ends. Defaults to None, which takes it from `fit`.

    Attributes:
        findings: The `ganlib.diagnostics.Finding` objects of the last examination, the surest first.
        rows: The measures so far, as in `ganlib.diagnostics.history.History`.

    Examples:
        >>> import ganlib
        >>> from ganlib.networks import mlp
        >>> digits = ganlib.data.open("digits")
        >>> gan = ganlib.GAN(mlp.Generator((8, 8, 1), latent_dim=16), mlp.Discriminator((8, 8, 1)))
        >>> gan.compile(seed=0)
        >>> diagnose = ganlib.diagnostics.Diagnose(digits, ganlib.data.open("digits", "test"))
        >>> batches = ganlib.data.batches(digits, 64, with_labels=False)
        >>> history = gan.fit(batches, steps_per_epoch=2, verbose=0, callbacks=[diagnose])
        >>> diagnose.findings
        []
    """

    def __init__(self, source, held_out=None, every=None, steps=None):
        super().__init__()
        self.source, self.held_out, self.every, self.steps = source, held_out, every, steps
        self.findings, self.rows, self.logs = [], [], []
        self._camera = self._previous = None
        self._reported = set()

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.steps = self.steps or self.first_step + self.params["epochs"] * (self.params["steps"] or 0)
        self.every = self.every or max(self.steps // EXAMINATIONS, SMALLEST_INTERVAL)
        self._sums, self._count = {}, 0
        if not self.rows:
            scales = {name: kernel.scale for name, kernel in kernels_of(self.model).items()}
            self.rows.append({"step": self.first_step, "kernel_scales": scales})

    def on_step(self, step, logs):
        self._note(step, logs)
        if self.is_due(self.every):
            self._examine()

    def on_train_end(self, logs=None):
        if self.step >= SMALLEST_INTERVAL and self.rows[-1]["step"] < self.step:
            self._examine()

    def _examine(self):
        if self._camera is None:
            self._camera = Camera(self.model, self.source, self.held_out)
        snapshot = self._camera.snapshot()
        row = {"step": self.step} | run.measures(snapshot, self.rows[0].get("kernel_scales"), self._previous)
        self._previous = snapshot.kernels
        self.rows.append(row)
        self.findings = run.of_run(self.history())
        self.on_examined(snapshot, row)

    def history(self):
        """Returns the `ganlib.diagnostics.history.History` so far."""
        return History(self.rows, self.steps, self.logs, class_names=self.source.class_names)

    def on_examined(self, snapshot, row):
        """Prints new symptoms after each examination.

        Args:
            snapshot: The `ganlib.diagnostics.snapshot.Snapshot`.
            row: What was measured, a dict.
        """
        new = [finding for finding in self.findings if finding.symptom not in self._reported]
        self._reported |= {finding.symptom for finding in new}
        if strategy.is_chief(self.model.distribute_strategy):
            for finding in new:
                symptom = f"{finding.symptom} (confidence {finding.confidence:.2f})"
                print(f"\nstep {self.step:,}: {symptom}: {finding.evidence} {finding.advice}", flush=True)

    def _note(self, step, logs):
        """Keeps the mean logs of each hundredth of the training."""
        executed = step - self.previous_step
        if all(map(math.isfinite, logs.values())):
            self._count += executed
            for name, value in logs.items():
                self._sums[name] = self._sums.get(name, 0.0) + executed * float(value)
        if self._count and self.is_due(max(self.steps // LOG_ROWS, 1)):
            self.logs.append({"step": step} | {name: value / self._count for name, value in self._sums.items()})
            self._sums, self._count = {}, 0
