"""Compares labeling suggested images with labeling random ones:
python -m experiments.studies.suggested_labels --classifier=photos_probe --set=dataset=folder:data/cells --labels=10 \
  --count=20 --seeds=0,1,2,3,4 --workdir=runs/suggested

For each label seed, a classifier is trained on a few labels of each class. Then --count of its other training images are
labeled: once those that `experiments.suggest` selects, and once random ones. Both times, a classifier is trained on all these
labels, which are those of the dataset. Every training is a separate process. The same command continues with the missing ones.
The table has the test accuracy and the balanced accuracy of all runs.
"""

import pathlib
import subprocess
import sys

import numpy as np
from absl import flags

from experiments.common import job

FLAGS = flags.FLAGS
ARMS = ("before", "random", "suggested")


def run(module, *arguments):
    """Runs a job in another process.

    Raises:
        UserError: If it fails. Its messages were printed.
    """
    from ganlib import UserError

    command = [sys.executable, "-m", f"experiments.{module}", *arguments]
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
        raise UserError(f"failed: {' '.join(command)}")


def train(workdir, seed, *arguments):
    """Trains a classifier, unless it was trained before, and returns its results as a dict."""
    from ganlib import files

    if not (workdir / "classification.json").exists():
        keys = [f"--config.{setting}" for setting in FLAGS.set]
        keys += [f"--config.seed={seed}", f"--config.label_seed={seed}", f"--config.labels_per_class={FLAGS.labels}"]
        run("train_classifier", f"--config={FLAGS.classifier}", f"--workdir={workdir}", *keys, *arguments)
    return files.read_measures(workdir / "classification.json")


def write_random(path, workdir, seed):
    """Writes a table of random images, in the form of `experiments.suggest`."""
    from ganlib import runs
    from ganlib.data import suggestions

    opened = runs.open_run(workdir)
    source, indices = runs.pool(opened.config, runs.open_data_of(opened))
    chosen = np.random.default_rng(seed).choice(indices, min(FLAGS.count, len(indices)), replace=False)
    names = suggestions.names_of(source, chosen)
    suggestions.write(path, names, [""] * len(names), np.zeros(len(names)), np.zeros(len(names)))


def results_of(seed):
    """Returns the results of the arms with one seed, in the order of `ARMS`."""
    folder = pathlib.Path(FLAGS.workdir) / f"seed{seed}"
    results = [train(folder / ARMS[0], seed)]
    for arm in ARMS[1:]:
        table = folder / f"{arm}.csv"
        if not table.exists() and arm == "random":
            write_random(table, folder / ARMS[0], seed)
        elif not table.exists():
            run("suggest", f"--workdir={folder / ARMS[0]}", f"--count={FLAGS.count}", f"--output={table}", f"--seed={seed}")
        results.append(train(folder / arm, seed, f"--config.added_labels={table}"))
    print(f"seed {seed}: " + ", ".join(f"{arm} {100 * r['test_accuracy']:.1f} %" for arm, r in zip(ARMS, results, strict=True)))
    return results


def table_of(results):
    """Returns the table of all runs, in Markdown.

    Args:
        results: A list of what `results_of` returns for each seed.
    """
    lines = ["| labels | accuracy, % | balanced accuracy, % |", "| --- | --- | --- |"]
    for arm, runs in zip(ARMS, zip(*results, strict=True), strict=True):
        cells = []
        for key in ("test_accuracy", "balanced_accuracy"):
            values = 100 * np.array([result[key] for result in runs])
            spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.1f}{spread} ({', '.join(f'{value:.1f}' for value in values)})")
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    print(table_of([results_of(int(seed)) for seed in FLAGS.seeds]))


if __name__ == "__main__":
    flags.DEFINE_string("classifier", None, "config of a classifier, such as photos_probe", required=True)
    flags.DEFINE_multi_string("set", [], "config key for all runs, as in --set=dataset=folder:data/cells")
    flags.DEFINE_integer("labels", 2, "labels per class at first", lower_bound=1)
    flags.DEFINE_integer("count", 20, "number of images to label then", lower_bound=1)
    flags.DEFINE_list("seeds", ["0", "1", "2"], "label seeds")
    flags.DEFINE_string("workdir", None, "folder for all runs", required=True)
    job.start(main)
