"""Compares GANs: each trial is one config trained with one seed and measured; beside them, real test images."""

import dataclasses
import pathlib

from absl import flags

from experiments import processes, trials

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class GanTrial:
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
        return [] if trials.holds(self.result, wanted) else [train, evaluate]


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
        return [] if trials.holds(self.result, {"metrics": names}) else [command]


def compare(folder, configs):
    """Runs all trials that are not done.

    Args:
        folder: the `pathlib.Path` for runs and results.
        configs: a dict from names to `ConfigDict`.

    Returns:
        ``(rows, table, failures)``: for results.json, as Markdown, and a line for each trial that failed.
    """
    datasets = list(dict.fromkeys(config.dataset for config in configs.values()))
    floors = [Floor(dataset, folder / f"{dataset.replace('/', '_')}_test.json") for dataset in datasets]
    runs = [GanTrial(name, seed, configs[name], folder / f"{name}_seed{seed}") for seed in FLAGS.seeds for name in configs]
    # The floors first: they leave the in-domain classifiers in the cache, which the trials then share.
    failures = processes.run_all(floors, folder, FLAGS.jobs) or processes.run_all(runs, folder, FLAGS.jobs)
    if failures:
        return [], "", failures
    rows = [summary(name, [trial for trial in runs if trial.name == name]) for name in configs]
    rows += [floor_row(floor) for floor in floors]
    rows.sort(key=lambda row: datasets.index(row["dataset"]))
    draw_curves(runs, folder / "fid.png")
    return rows, as_markdown(rows), []


def summary(name, runs):
    """One config's row: the mean and the deviation over seeds of every result, and all of its values."""
    results = [trials.read(run.result)["results"] | {"minutes": float(trials.clock(run.workdir)[1][-1])} for run in runs]
    config = runs[0].config
    return {"name": name, "dataset": config.dataset, "steps": config.steps, **trials.statistics(results)}


def floor_row(floor):
    """The row of real test images, measured once."""
    return {"name": floor.label, "dataset": floor.dataset, **trials.statistics([trials.read(floor.result)["results"]])}


def draw_curves(runs, path):
    """Plots the FID that was measured in training against minutes, a panel for each data set and a line for each run."""
    import matplotlib.figure
    import numpy as np

    from ganlib.training.callbacks import read_rows

    datasets = list(dict.fromkeys(run.config.dataset for run in runs))
    names = list(dict.fromkeys(run.name for run in runs))
    figure = matplotlib.figure.Figure(figsize=(4 * len(datasets), 3.2), layout="constrained")
    for axes, dataset in zip(figure.subplots(1, len(datasets), squeeze=False)[0], datasets, strict=True):
        for run in (run for run in runs if run.config.dataset == dataset):
            points = [(row["step"], row["fid"]) for row in read_rows(run.workdir / "metrics.jsonl") if "fid" in row]
            if points:
                steps, fids = zip(*points, strict=True)
                label = run.name if run.seed == runs[0].seed else None
                axes.plot(np.interp(steps, *trials.clock(run.workdir)), fids, color=f"C{names.index(run.name)}", label=label)
        axes.set(title=dataset, xlabel="minutes of training", ylabel="FID", yscale="log")
        trials.plain_ticks(axes.yaxis)
        axes.grid(alpha=0.3)
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
    lines = [["", "steps", *(COLUMNS[key][0] for key in shown)]]
    lines += [[row["name"], str(row.get("steps", "")), *(trials.cell(row, k, COLUMNS[k][1]) for k in shown)] for row in rows]
    return trials.as_markdown(lines)
