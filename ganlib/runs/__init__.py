"""Runs: opens run folders, builds the model that a config describes, and trains, resumes and loads it."""

from ganlib.runs import report
from ganlib.runs.folder import Run, checked, open_run, start, writing
from ganlib.runs.from_config import build
from ganlib.runs.images import open_data, open_data_of, open_unlabeled
from ganlib.runs.loading import load, load_gan
from ganlib.runs.loop import fit
from ganlib.runs.smoke import smoke

__all__ = [
    "Run", "build", "checked", "fit", "load", "load_gan", "open_data", "open_data_of", "open_run", "open_unlabeled", "report",
    "smoke", "start", "writing",
]  # fmt: skip
