"""Runs: opens run folders, builds the model that a config describes, and trains, resumes and loads it."""

from ganlib.runs import automatic, density, diagnosis, examination, moving, report
from ganlib.runs.calibration import calibrate
from ganlib.runs.folder import Run, checked, open_run, start, writing
from ganlib.runs.from_config import build
from ganlib.runs.images import few_labels, open_data, open_data_of, open_test, open_unlabeled, pool, training_images
from ganlib.runs.loading import load, load_classifier, load_gan, selection_of_best
from ganlib.runs.loop import fit
from ganlib.runs.smoke import smoke

__all__ = [
    "Run", "automatic", "build", "calibrate", "checked", "density", "diagnosis", "examination", "few_labels", "fit", "load",
    "load_classifier", "load_gan", "moving", "open_data", "open_data_of", "open_run", "open_test", "open_unlabeled", "pool",
    "report", "selection_of_best", "smoke", "start", "training_images", "writing",
]  # fmt: skip
