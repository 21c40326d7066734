"""Trains the models of the demo and writes a report: python -m experiments.demo --workdir=runs/demo

On scikit-learn's 8x8 digits it trains a GAN. Then, for three selections of 5 labeled images per class, it trains a
semi-supervised classifier and the same network on only these labels. It writes a report and prints the test accuracies. Run the
same command again to resume an interrupted demo.
"""

import pathlib
import time

import numpy as np
from absl import flags

from experiments import train_classifier, train_gan
from experiments.common import job
from experiments.configs import digits_cnn, digits_dcgan, digits_sgan

LABEL_SEEDS = (0, 1, 2)
METHODS = {"supervised": "CNN, labeled images only", "semi_supervised": "semi-supervised GAN"}


def main():
    from ganlib.runs import report

    started, folder = time.monotonic(), pathlib.Path(flags.FLAGS.workdir)
    jobs = [(method, seed) for method in METHODS for seed in LABEL_SEEDS]
    workdirs = [folder / "gan"] + [folder / f"{method}_{seed}" for method, seed in jobs]
    config = digits_dcgan.get_config()
    config.smoke = flags.FLAGS.smoke
    train_gan.train(config, workdirs[0], label=f"1/{len(workdirs)} GAN")
    accuracies = {method: [] for method in METHODS}
    for number, ((method, seed), workdir) in enumerate(zip(jobs, workdirs[1:], strict=True), start=2):
        label = f"{number}/{len(workdirs)} {METHODS[method]}, label seed {seed}"
        accuracies[method].append(train_classifier.train(classifier_config(method, seed), workdir, label=label))
    table = results(accuracies)
    page = report.write(folder / "report.html", workdirs, "ganlib: the demo", [table], INTRO)
    print(f"\n{as_text(table)}\n\nreport: {page} (after {(time.monotonic() - started) / 60:.1f} minutes)")


INTRO = (
    "A conditional GAN and few-label classifiers, trained by 'make demo' on scikit-learn's handwritten digits: 8x8 pixels, "
    "1,297 images to train on and 500 to test on."
)


def classifier_config(method, seed):
    """Returns the config of one classifier of the demo."""
    config = {"semi_supervised": digits_sgan, "supervised": digits_cnn}[method].get_config()
    config.label_seed, config.seed, config.smoke = seed, seed, flags.FLAGS.smoke
    return config


def results(accuracies):
    """Returns the `Table` of all runs.

    Args:
        accuracies: A dict from each method to its test accuracies by label seed.
    """
    from ganlib.runs.report import Table

    rows = []
    for method, values in accuracies.items():
        percent = 100 * np.array(values)
        rows.append(
            [METHODS[method], *(f"{value:.1f}" for value in percent), f"{percent.mean():.1f} ± {percent.std(ddof=1):.1f}"]
        )
    labels = digits_sgan.get_config().labels_per_class
    header = ["test accuracy, %", *(f"label seed {seed}" for seed in LABEL_SEEDS), "mean ± std"]
    note = "Each label seed selects different labeled images. Both methods train on the same ones. The table shows all runs."
    return Table(f"Classifiers with {labels} labels per class", header, rows, note)


def as_text(table):
    """Formats a `Table` for the terminal."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
    text = [
        f"{table.title} (test accuracy in %)",
        *("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines),
    ]
    return "\n".join(line.rstrip() for line in text)


if __name__ == "__main__":
    flags.DEFINE_string("workdir", "runs/demo", "folder for the report and the runs")
    flags.DEFINE_bool("smoke", False, "tiny networks and 2 steps, for tests")
    job.start(main)
