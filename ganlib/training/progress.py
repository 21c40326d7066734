"""A progress bar for training."""

import shutil
import sys
import time

from ganlib.training.callbacks import StepCallback

SHORT_NAMES = {
    "discriminator_loss": "D loss",
    "generator_loss": "G loss",
    "real_logits": "D(real)",
    "fake_logits": "D(fake)",
}
"""Name of a log -> its short name. The progress bar shows these logs first."""


class Progress(StepCallback):
    """Shows the step, steps per second, remaining time and losses, as a bar on a terminal or as lines in a file.

    Args:
        total_steps: The step at which training ends.
        label: A label of the training, shown first. Defaults to no label.
        seconds: Seconds between two lines if the output is not a terminal. Defaults to 10.0.
        output: The file to write to. Defaults to None, which is standard output.
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
        remaining = f"{duration((self.total_steps - self.step) / rate)} left" if rate else "starting"
        values = "  ".join(f"{name} {value:.3f}" for name, value in _with_short_names(self.last))
        label = f"{self.label}  " if self.label else ""
        progress = f"{_bar(self.step / self.total_steps)} {self.step}/{self.total_steps}"
        text = f"{label}{progress}  {rate:.2f} steps/s  {remaining}  {values}"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.output.write("\r" + text[:width].ljust(width) + end)
        else:
            self.output.write(text + "\n")
        self.output.flush()


def duration(seconds):
    """Formats seconds: ``75.2`` -> ``"1:15"``, ``3675`` -> ``"1:01:15"``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _bar(fraction, width=20):
    filled = round(width * fraction)
    return "[" + "#" * filled + "." * (width - filled) + "]"


def _with_short_names(logs):
    """Returns pairs of names and values, those of `SHORT_NAMES` first."""
    first = [(short, logs[name]) for name, short in SHORT_NAMES.items() if name in logs]
    return first + [(name.replace("_", " "), value) for name, value in logs.items() if name not in SHORT_NAMES]
