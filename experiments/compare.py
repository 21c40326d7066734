"""Trains and measures several GAN configs with several seeds, and writes the table of their means and deviations:
python -m experiments.compare --configs=mnist_dcgan,mnist_resnet --seeds=0,1,2 --workdir=runs/compare

Each run is trained by `experiments.train_gan` and measured by `experiments.evaluate`, as processes of their own; with
--jobs=2 two go on side by side, each on its share of the cores. The same command again goes on where it was stopped,
and what is complete is only read. The last checkpoint of each run is measured, not the best. Beside them stand each
data set's test images, measured against its training images as the generated ones are: the floor of the FID.

The folder gets results.json, results.md, and log files; of configs that measure the FID in training also fid.png.
"""

import dataclasses
import functools
import importlib
import json
import operator
import pathlib
import sys

import yaml
from absl import flags

from experiments import job, processes

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Trial:
    """One config trained with one seed, in a folder of its own."""

    name: str
    seed: str
    config: object
    workdir: pathlib.Path

    @property
    def label(self):
        return f"{self.name}, seed {self.seed}"

    @property
    def result(self):
        return self.workdir / "evaluation.json"

    def commands(self):
        """What is left to do, as arguments of Python."""
        path = f"experiments/configs/{self.name}.py"
        overrides = [f"--config.{pair}" for pair in FLAGS.set]
        train = ["-m", "experiments.train_gan", f"--config={path}", f"--workdir={self.workdir}",
                 f"--config.seed={self.seed}", *overrides]  # fmt: skip
        evaluate = ["-m", "experiments.evaluate", f"--workdir={self.workdir}", f"--metrics={FLAGS.metrics}",
                    f"--samples={FLAGS.samples}", f"--seed={self.seed}", "--neighbours=0"]  # fmt: skip
        wanted = {"step": self.config.steps, "samples": FLAGS.samples, "metrics": FLAGS.metrics.split(",")}
        return [] if _holds(self.result, wanted) else [train, evaluate]


@dataclasses.dataclass(frozen=True)
class Floor:
    """The real test images of one data set, measured as if they were generated."""

    dataset: str
    result: pathlib.Path

    @property
    def label(self):
        return f"{self.dataset}, real test images"

    def commands(self):
        """What is left to do, as arguments of Python."""
        names = [name for name in FLAGS.metrics.split(",") if name != "cas"]
        command = ["-m", "experiments.evaluate", f"--real={self.dataset}", f"--fake={self.dataset}", "--fake_split=test",
                   "--features=in_domain", f"--metrics={','.join(names)}", f"--output={self.result}"]  # fmt: skip
        return [] if _holds(self.result, {"metrics": names}) else [command]


def main():
    from ganlib import UserError
    from ganlib.files import write_json, written_whole

    folder, configs = pathlib.Path(FLAGS.workdir), {name: load_config(name, FLAGS.set) for name in FLAGS.configs}
    datasets = dict.fromkeys(config.dataset for config in configs.values())
    floors = [Floor(dataset, folder / f"{dataset}_test.json") for dataset in datasets]
    trials = [Trial(name, seed, configs[name], folder / f"{name}_seed{seed}") for seed in FLAGS.seeds for name in configs]
    # The floors first: they leave the in-domain classifiers in the cache, which the trials then share.
    failures = processes.run_all(floors, folder, FLAGS.jobs) or processes.run_all(trials, folder, FLAGS.jobs)
    if failures:
        raise UserError(f"{len(failures)} failed, and the same command tries them again: {'; '.join(failures)}")
    rows = [summary(name, [t for t in trials if t.name == name]) for name in configs]
    rows += [{"name": floor.label, "dataset": floor.dataset, **single(_read(floor.result))} for floor in floors]
    table = as_markdown(sorted(rows, key=lambda row: list(datasets).index(row["dataset"])))
    write_json(folder / "results.json", {"arguments": sys.argv[1:], "rows": rows})
    with written_whole(folder / "results.md") as partial:
        partial.write_text(table)
    print(f"\n{table}\nwritten to {folder / 'results.md'}")
    draw_curves(trials, folder / "fid.png")


def load_config(name, overrides=()):
    """The config in a file of experiments/configs, with keys changed as by ``"steps=7"``.

    Raises:
        UserError: if there is none.
    """
    from ganlib import UserError, runs

    try:
        config = importlib.import_module(f"experiments.configs.{name}").get_config()
    except (ModuleNotFoundError, AttributeError):
        raise UserError(f"no config {name!r}: give names of files in experiments/configs") from None
    for pair in overrides:
        path, _, value = pair.partition("=")
        *groups, key = path.split(".")
        try:
            group = functools.reduce(operator.getitem, groups, config)
            _ = group[key]  # fails for a key that is not there
            group[key] = yaml.safe_load(value)
        except (KeyError, TypeError) as error:
            raise UserError(f"--set={pair} does not fit config {name!r}: {' '.join(str(error.args[0]).split())}") from None
    return runs.smoke(config)


def summary(name, trials):
    """One row: the mean and the sample deviation over seeds of every result, and all of its values."""
    import numpy as np

    measured = [_read(trial.result)["results"] | {"minutes": float(clock(trial.workdir)[1][-1])} for trial in trials]
    values = {key: [results[key] for results in measured] for key in measured[0]}
    return {
        "name": name, "dataset": trials[0].config.dataset, "steps": trials[0].config.steps, "values": values,
        "mean": {key: float(np.mean(v)) for key, v in values.items()},
        "std": {key: float(np.std(v, ddof=1)) if len(v) > 1 else None for key, v in values.items()},
    }  # fmt: skip


def single(measured):
    """The row of what was measured once."""
    return {"values": {k: [v] for k, v in measured["results"].items()}, "mean": measured["results"], "std": {}}


def clock(workdir):
    """``(steps, minutes)`` arrays: how long a run had trained at each row of its logs, without the time for measuring."""
    import numpy as np

    from ganlib.training.callbacks import read_rows

    rows = [row for row in read_rows(workdir / "metrics.jsonl") if "steps_per_second" in row]
    steps = np.array([0] + [row["step"] for row in rows])
    rates = np.array([row["steps_per_second"] for row in rows])
    return steps, np.concatenate([[0.0], np.cumsum(np.diff(steps) / rates)]) / 60


def draw_curves(trials, path):
    """Plots the FID that was measured in training against minutes, a panel for each data set and a line for each run."""
    import matplotlib.figure
    import numpy as np

    from ganlib.training.callbacks import read_rows

    datasets = list(dict.fromkeys(trial.config.dataset for trial in trials))
    names = list(dict.fromkeys(trial.name for trial in trials))
    figure = matplotlib.figure.Figure(figsize=(4 * len(datasets), 3.2), layout="constrained")
    for axes, dataset in zip(figure.subplots(1, len(datasets), squeeze=False)[0], datasets, strict=True):
        for trial in (trial for trial in trials if trial.config.dataset == dataset):
            points = [(row["step"], row["fid"]) for row in read_rows(trial.workdir / "metrics.jsonl") if "fid" in row]
            if points:
                steps, fids = zip(*points, strict=True)
                label = trial.name if trial.seed == trials[0].seed else None
                axes.plot(np.interp(steps, *clock(trial.workdir)), fids, color=f"C{names.index(trial.name)}", label=label)
        axes.set(title=dataset, xlabel="minutes of training", ylabel="FID", yscale="log")
        axes.grid(alpha=0.3, which="both")
        if axes.lines:
            axes.legend(frameon=False)
    figure.savefig(path, dpi=90)


COLUMNS = {
    "fid": ("FID", "{:.2f}"),
    "kid": ("KID", "{:.2f}"),
    "inception_score": ("IS", "{:.2f}"),
    "precision": ("precision", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "density": ("density", "{:.3f}"),
    "coverage": ("coverage", "{:.3f}"),
    "intra_fid": ("intra-class FID", "{:.2f}"),
    "cas": ("CAS", "{:.3f}"),
    "cas_real": ("CAS of real images", "{:.3f}"),
    "minutes": ("minutes", "{:.1f}"),
}
"""Result -> its heading and format."""


def as_markdown(rows):
    """The rows as a Markdown table, mean ± deviation."""
    shown = [key for key in COLUMNS if any(key in row["mean"] for row in rows)]
    lines = [["", "steps", *(COLUMNS[key][0] for key in shown)], ["---"] * (2 + len(shown))]
    for row in rows:
        lines.append([row["name"], str(row.get("steps", "")), *(_cell(row, key) for key in shown)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(row, key):
    if key not in row["mean"]:
        return ""
    mean, std = row["mean"][key], row["std"].get(key)
    number = COLUMNS[key][1]
    return number.format(mean) if std is None else f"{number.format(mean)} ± {number.format(std)}"


def _holds(path, wanted):
    """Whether a JSON file is there and has these values."""
    measured = _read(path)
    return measured is not None and all(measured.get(key) == value for key, value in wanted.items())


def _read(path):
    return json.loads(path.read_text()) if path.exists() else None


if __name__ == "__main__":
    flags.DEFINE_list("configs", None, "files of experiments/configs, such as mnist_dcgan,mnist_resnet", required=True)
    flags.DEFINE_list("seeds", ["0", "1", "2"], "each config is trained with each of them")
    flags.DEFINE_string("workdir", None, "the folder for all runs and the table", required=True)
    flags.DEFINE_string("metrics", "fid,precision_recall,cas", "as in experiments.evaluate")
    flags.DEFINE_integer("samples", 10_000, "how many images to generate for measuring", lower_bound=2)
    flags.DEFINE_multi_string("set", [], "a config key for all runs, as in --set=precision=mixed_bfloat16")
    flags.DEFINE_integer("jobs", 1, "how many runs go on side by side", lower_bound=1)
    job.start(main)
