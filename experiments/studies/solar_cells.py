"""Writes the photos of solar cells of the package elpv-dataset as a folder of classes:
pip install elpv-dataset
python -m experiments.studies.solar_cells --output=data/cells

Deitsch et al. 2019, "Automatic classification of defective photovoltaic module cells in electroluminescence images"
(arXiv:1807.02894): 2,624 gray photos of 300x300 pixels. A cell whose probability of a defect is above one half is "defective",
the others are "sound". 600 test photos are selected by a seed; the other 2,024 are for training. The photos are licensed under
CC BY-NC-SA 4.0. Each has the name that it has in the package.
"""

import importlib.util
import pathlib
import shutil

import numpy as np
from absl import flags

from experiments.common import job

TEST_PHOTOS, SEED = 600, 0
CLASSES = ("sound", "defective")


def photos(folder):
    """Returns the photos of the package's ``folder``: a list of ``(path, class name)``."""
    rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines() if line.strip()]
    return [(folder / path, CLASSES[float(probability) > 0.5]) for path, probability, _ in rows]


def split_of(count):
    """Returns the split of each of ``count`` photos, ``"train"`` or ``"test"``."""
    is_test = np.isin(np.arange(count), np.random.default_rng(SEED).permutation(count)[:TEST_PHOTOS])
    return np.where(is_test, "test", "train")


def main():
    from ganlib import UserError

    package = importlib.util.find_spec("elpv_dataset")
    if package is None:
        raise UserError("the photos are in the package elpv-dataset: pip install elpv-dataset")
    rows = photos(pathlib.Path(package.submodule_search_locations[0]) / "data")
    output = pathlib.Path(flags.FLAGS.output)
    for (path, name), split in zip(rows, split_of(len(rows)), strict=True):
        (output / split / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, output / split / name / path.name)
    for split in ("train", "test"):
        counts = ", ".join(f"{len(list((output / split / name).iterdir()))} {name}" for name in CLASSES)
        print(f"{output / split}: {counts}")


if __name__ == "__main__":
    flags.DEFINE_string("output", None, "folder to write", required=True)
    job.start(main)
