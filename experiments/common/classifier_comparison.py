"""Compares classifiers. Each trial is one config, trained with one number of labels and one seed."""

import dataclasses
import pathlib

from absl import flags

from experiments import configs
from experiments.common import processes, staleness, trials

FLAGS = flags.FLAGS

ALL = "all"
"""The number of labels per class of a config that uses all labels."""

MEASURES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "mean F1 of the classes",
    "roc_auc": "area under the ROC curve",
}
"""Key of classification.json -> its heading in the second table. Each is a mean over the classes, so that a frequent class does
not hide a rare one."""


@dataclasses.dataclass(frozen=True)
class ClassifierTrial:
    """One config, trained on a number of labels per class that a seed selects, in a separate folder."""

    name: str
    labels: str
    seed: str
    config: object
    workdir: pathlib.Path

    @property
    def label(self):
        return f"{self.name}, {self.labels} labels, seed {self.seed}"

    @property
    def result(self):
        return self.workdir / "classification.json"

    @property
    def requested(self):
        """The config, data and code that the run must have been trained with."""
        from ganlib import versions

        config = staleness.plain(self.config) | {"seed": int(self.seed)}
        if self.labels != ALL:
            config |= {"labels_per_class": int(self.labels), "label_seed": int(self.seed)}
        for key in ("features_from", "generated_from"):
            if (self.config[key] or "").startswith("config:"):
                config[f"config of {key}"] = staleness.plain(configs.load(self.config[key].removeprefix("config:")))
        return {"config": config, "data": staleness.images_of(self.config), "code": versions.of_code()}

    @property
    def expected(self):
        """The entries that classification.json must have."""
        from ganlib import versions

        expected, split = {"step": self.config.steps, "code": versions.of_code()}, self.config.test_split
        return expected | ({"test_content": staleness.images_of(self.config, split)} if split else {})

    def commands(self):
        """Returns the remaining commands, as arguments of Python."""
        keys = [*FLAGS.set, f"seed={self.seed}"]
        if self.labels != ALL:
            keys += [f"labels_per_class={self.labels}", f"label_seed={self.seed}"]
        train = ["-m", "experiments.train_classifier", f"--config=experiments/configs/{self.name}.py",
                 f"--workdir={self.workdir}", *(f"--config.{pair}" for pair in keys)]  # fmt: skip
        return [train] if staleness.differences(self.result, self.expected) else []


def compare(folder, configs):
    """Runs all unfinished trials.

    Args:
        folder: The folder of runs and results, a `pathlib.Path`.
        configs: A dict from names to `ConfigDict`.

    Returns:
        ``(rows, table, failures)``: the rows of results.json, the table in Markdown, and one line for each failed trial.
    """
    counts = FLAGS.labels or [str(next(iter(configs.values())).labels_per_class or ALL)]
    runs = [
        ClassifierTrial(name, labels, seed, configs[name], folder / f"{name}_labels{labels}_seed{seed}")
        for seed in FLAGS.seeds
        for labels in counts
        for name in configs
    ]
    staleness.claim_all(runs, FLAGS.accept_other_code)
    failures = processes.run_all(runs, folder, FLAGS.jobs) or staleness.still_different(runs)
    if failures:
        return [], "", failures
    rows = [summary([run for run in runs if (run.name, run.labels) == (name, labels)]) for name in configs for labels in counts]
    draw(rows, folder / "error.png")
    return rows, as_markdown(rows), []


def summary(runs):
    """Returns the row of one config and one number of labels: all values, with mean and standard deviation over seeds."""
    results = []
    for run in runs:
        result = staleness.read(run.result)
        results.append(
            {
                "test_error": 100 * (1 - result["test_accuracy"]),
                "calibration_error": 100 * result["expected_calibration_error"],
                **{key: 100 * result[key] for key in MEASURES if result[key] is not None},
                "minutes": float(trials.clock(run.workdir)[1][-1]),
            }
        )
    run = runs[0]
    return {
        "name": run.name,
        "dataset": run.config.dataset,
        "labels_per_class": ALL if run.labels == ALL else int(run.labels),
        "steps": run.config.steps,
        **trials.statistics(results),
    }


def as_markdown(rows):
    """Formats test errors in %, and `MEASURES` in %, as two Markdown tables."""
    return f"{_errors(rows)}\n{_measures(rows)}"


def _measures(rows):
    """Returns the table of `MEASURES`: a row for each config and number of labels per class."""
    lines = [["%", "labels per class", *MEASURES.values()]]
    for row in rows:
        lines.append([row["name"], str(row["labels_per_class"]), *(trials.cell(row, key, "{:.2f}") for key in MEASURES)])
    return trials.as_markdown(lines)


def _errors(rows):
    """Returns the table of test errors: a row for each config, a column for each number of labels per class."""
    counts, names = (list(dict.fromkeys(row[key] for row in rows)) for key in ("labels_per_class", "name"))
    lines = [["test error, %", "steps", *(f"{count} labels per class" for count in counts), "minutes"]]
    for name in names:
        by_count = {row["labels_per_class"]: row for row in rows if row["name"] == name}
        cells = [trials.cell(by_count[count], "test_error", "{:.2f}") for count in counts]
        minutes = sum(row["mean"]["minutes"] for row in by_count.values()) / len(by_count)
        lines.append([name, str(by_count[counts[0]]["steps"]), *cells, f"{minutes:.1f}"])
    return trials.as_markdown(lines)


def draw(rows, path):
    """Plots the test error against the number of labels per class: a line with standard deviations for each config."""
    import matplotlib.figure

    figure = matplotlib.figure.Figure(figsize=(5.5, 3.8), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(row["name"] for row in rows):
        points = [row for row in rows if row["name"] == name and row["labels_per_class"] != ALL]
        counts = [row["labels_per_class"] for row in points]
        errors = [row["std"]["test_error"] or 0.0 for row in points]
        means = [row["mean"]["test_error"] for row in points]
        axes.errorbar(counts, means, errors, marker="o", markersize=4, capsize=3, label=name)
    axes.set(xlabel="labels per class", ylabel="test error, %", xscale="log", yscale="log")
    trials.plain_ticks(axes.xaxis)
    trials.plain_ticks(axes.yaxis)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=90)
