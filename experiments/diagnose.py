"""Looks for what goes wrong with a dataset or a run:
python -m experiments.diagnose --dataset=folder:/data/birds
python -m experiments.diagnose --workdir=runs/birds --format=json

The first command examines a dataset before it is trained on. It finds copies, blank images, images of another kind, classes
with few images or none, too few images, and test images that are also in the training set. With --workdir, it examines a run:
the images that it was trained on and, for a GAN, its training, from what was measured meanwhile. For each symptom it prints how
sure it is, the evidence and what to change: see `ganlib.diagnostics`.
"""

import json
import sys

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a run to examine; alternatively pass --dataset")
DATASET = flags.DEFINE_string("dataset", None, "dataset to examine, such as folder:PATH or mnist")
FORMAT = flags.DEFINE_enum("format", "text", ["text", "json"], "json prints a list with the keys of `Finding.as_dict`")
SEED = flags.DEFINE_integer("seed", 0, "seed that selects images if there are too many", lower_bound=0)
IMAGE_SIZE = flags.DEFINE_string("image_size", None, f"for --dataset: {job.IMAGE_SIZE}; by default 64 for a folder")
CLASSES = flags.DEFINE_string("classes", None, "for --dataset: classes to keep, as in a config")
SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "for --dataset: skip unreadable files")
BACKGROUND = flags.DEFINE_string("background", "white", "for --dataset: color under transparent pixels")
FIT = flags.DEFINE_enum("fit", "crop", ["crop", "pad", "stretch"], "for --dataset: how images of another shape fit")
LABEL_FILE = flags.DEFINE_string("label_file", None, "for --dataset: table of the labels, as in a config")
FILE_COLUMN = flags.DEFINE_string("file_column", None, "for --dataset: column of the table that names images")
LABEL_COLUMN = flags.DEFINE_string("label_column", None, "for --dataset: column of the table with the labels")
DATA_DIR = flags.DEFINE_string("data_dir", None, "folder of TFDS datasets")
FOLDER_SIZE = 64
"""The size to which the images of a folder are resized without ``--image_size``."""
OF_DATASETS = (IMAGE_SIZE, CLASSES, SKIP_CORRUPT, BACKGROUND, FIT, LABEL_FILE, FILE_COLUMN, LABEL_COLUMN)


def main():
    from ganlib import UserError, runs

    if bool(WORKDIR.value) == bool(DATASET.value):
        raise UserError("pass either --workdir or --dataset")
    if WORKDIR.value:
        for flag in OF_DATASETS:
            if flag.present:
                raise UserError(f"--{flag.name} has no effect here: pass it with --dataset, or omit it")
        findings = of_run(WORKDIR.value)
    else:
        findings = runs.diagnosis.of_data(config_of_flags(), seed=SEED.value)
    if FORMAT.value == "json":
        print(json.dumps([finding.as_dict() for finding in findings], indent=2))
        return
    for finding in findings:
        print(f"{finding.symptom} (confidence {finding.confidence:.2f})\n  {finding.evidence}\n  {finding.advice}")
    if not findings:
        print("no symptoms found")


def of_run(workdir):
    """Returns the symptoms of a run and of its images, the surest first. Prints why images cannot be opened."""
    from ganlib import UserError, runs
    from ganlib.diagnostics.history import SHORTEST

    run = runs.open_run(workdir)
    config = run.config.copy_and_resolve_references()
    config.data_dir = DATA_DIR.value or config.data_dir
    findings, examined = [], config.method == "gan"
    if examined:
        findings = runs.examination.of_run(run, DATA_DIR.value)
        if config.steps < SHORTEST:
            print(f"note: a training of fewer than {SHORTEST} steps is too short to be judged", file=sys.stderr, flush=True)
    try:
        findings += runs.diagnosis.of_data(config, SEED.value, lambda: runs.open_data_of(run, DATA_DIR.value))
    except (UserError, OSError) as error:
        if not examined:
            raise
        print(f"note: the images are not examined: {error}", file=sys.stderr, flush=True)
    return sorted(findings, key=lambda finding: -finding.confidence)


def config_of_flags():
    """Returns the config of an unconditional GAN on the dataset of the flags."""
    from experiments.configs import base

    config = base.gan()
    config.dataset = DATASET.value
    is_folder = DATASET.value.startswith("folder:")
    config.image_size = IMAGE_SIZE.value or (FOLDER_SIZE if is_folder else None)  # images of a folder may have any size
    for flag in (CLASSES, SKIP_CORRUPT, BACKGROUND, FIT, LABEL_FILE, FILE_COLUMN, LABEL_COLUMN, DATA_DIR):
        if flag.value is not None:
            config[flag.name] = flag.value
    return config


if __name__ == "__main__":
    job.start(main)
