"""Compares GANs. Each trial is one config, trained with one seed and evaluated. Real test images serve as a reference."""

import dataclasses
import pathlib

from absl import flags

from experiments.common import evaluating, processes, staleness, trials

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class GanTrial:
    """One config, trained with one seed in a separate folder."""

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

    @property
    def requested(self):
        """The config, data and code that the run must have been trained with."""
        from ganlib import versions

        config = staleness.plain(self.config) | {"seed": int(self.seed)}
        return {"config": config, "data": staleness.images_of(self.config), "code": versions.of_code()}

    @property
    def expected(self):
        """The entries that evaluation.json must have."""
        from ganlib import versions
        from ganlib.metrics.evaluate import KEPT

        expected = {"step": self.config.steps, "samples": FLAGS.samples, "pairs": KEPT, "metrics": list(requested_metrics()),
                  "seed": int(self.seed), "selected_by": None, "precision": self.config.precision,
                  "real_content": staleness.images_of(self.config),
                  **versions_of(networks_of(self.config), self.config), "code": versions.of_code()}  # fmt: skip
        with_test = any("test" in metric.against for metric in requested_metrics().values())
        return expected | ({"test_content": staleness.images_of(self.config, "test")} if with_test else {})

    def commands(self):
        """Returns the remaining commands, as arguments of Python."""
        path = f"experiments/configs/{self.name}.py"
        overrides = [f"--config.{pair}" for pair in FLAGS.set]
        train = ["-m", "experiments.train_gan", f"--config={path}", f"--workdir={self.workdir}",
                 f"--config.seed={self.seed}", *overrides]  # fmt: skip
        evaluate = ["-m", "experiments.evaluate", f"--workdir={self.workdir}", f"--metrics={','.join(requested_metrics())}",
                    f"--samples={FLAGS.samples}", f"--seed={self.seed}", f"--features={','.join(networks_of(self.config))}",
                    *_set(self.config, "data_dir"), "--neighbours=0"]  # fmt: skip
        return [train, evaluate] if staleness.differences(self.result, self.expected) else []


@dataclasses.dataclass(frozen=True)
class Floor:
    """The real test images of a config's dataset, evaluated like generated images."""

    config: object
    result: pathlib.Path

    @classmethod
    def of(cls, config, folder):
        """Creates the floor of a config. The name of its file depends on the images and the features."""
        dataset, key = data_of(config)
        return cls(config, folder / f"{dataset.replace('/', '_').replace(':', '_')}_{key}_test.json")

    @property
    def label(self):
        dataset = self.config.dataset
        return f"{dataset}{f' of classes {self.config.classes}' if self.config.classes else ''}, real test images"

    @property
    def row_name(self):
        """The label, with the number of images if the runs generate more: the FID of fewer images is higher."""
        record = staleness.read(self.result)
        count = record["samples"]
        return self.label if count == record["most_samples"] else f"{self.label}, only {count:,}"

    @property
    def expected(self):
        """The entries that its file must have."""
        from ganlib import versions
        from ganlib.metrics.evaluate import KEPT

        return {
            "metrics": metrics_of_test_images(),
            "pairs": KEPT,
            "most_samples": FLAGS.samples,
            "real_content": staleness.images_of(self.config),
            "code": versions.of_code(),
            "fake_content": staleness.images_of(self.config, "test"),
            **versions_of(networks_of_test_images(self.config), self.config),
        }

    def commands(self):
        """Returns the remaining commands, as arguments of Python."""
        command = ["-m", "experiments.evaluate", f"--real={self.config.dataset}", f"--fake={self.config.dataset}",
                   "--fake_split=test", f"--features={','.join(networks_of_test_images(self.config))}",
                   f"--metrics={','.join(self.expected['metrics'])}", f"--samples={FLAGS.samples}",
                   *_set(self.config, "classes", "image_size", "data_dir", "skip_corrupt", "background", "fit", "label_file",
                         "file_column", "label_column"),
                   f"--output={self.result}"]  # fmt: skip
        return [command] if staleness.differences(self.result, self.expected) else []


def networks_of(config):
    """Returns the names of the feature networks for a config: those of ``--features``, or the config's."""
    return FLAGS.features or [config.features]


def networks_of_test_images(config):
    """Returns the names of the feature networks that can measure real test images, because they are not trained on them. There
    are none if the first network, whose results have the plain names, cannot.
    """
    first, *others = networks_of(config)
    return [] if first == "in_domain:test" else [first, *(name for name in others if name != "in_domain:test")]


def versions_of(networks, config):
    """Returns the entries of evaluation.json about feature networks."""
    first, *others = networks
    of_others = {name: staleness.features_of(config, name) for name in others}
    return {"features_version": staleness.features_of(config, first), "other_features": of_others or None}


def requested_metrics():
    """Returns the metrics of ``--metrics``, a dict from names to `ganlib.metrics.metric.Metric`."""
    from ganlib.metrics.evaluate import metric_of

    return {name.strip(): metric_of(name.strip()) for name in FLAGS.metrics.split(",")}


def metrics_of_test_images():
    """Returns the names of the requested metrics that can be computed for real test images."""
    metrics = requested_metrics().items()
    return [name for name, metric in metrics if metric.inputs != "generator" and "test" not in metric.against]


def check_metrics(configs):
    """Raises a `UserError` if a metric cannot be computed for a config, before anything is trained.

    Args:
        configs: A dict from names to `ConfigDict`.
    """
    from ganlib import UserError, evaluation, runs

    for config_name, config in configs.items():
        for name, metric in requested_metrics().items():
            if metric.needs_labels and not config.conditional:
                raise UserError(f"{config_name} is not conditional, and {name} requires labels: pass --metrics without {name}")
            if "float32" in metric.needs and config.precision != "float32":
                raise UserError(
                    f"{config_name} has {config.precision}, and {name} requires float32: pass --metrics without {name}"
                )
        metrics, networks = list(requested_metrics()), networks_of(config)
        arguments = {"samples": FLAGS.samples, "test": runs.open_test(config, metrics, networks)}

        def create(metrics, network, config=config, arguments=arguments):
            return evaluation.Evaluation(runs.open_data(config), metrics, network, **arguments)

        for network, evaluate in evaluating.one_for_each(networks, metrics, create).items():
            if not network.startswith("in_domain"):  # which is trained later and has probabilities
                evaluation.checks.check_features(evaluate)


def data_of(config):
    """Returns ``(dataset, key)``. Runs with the same pair have the same images and features, and share a floor."""
    from ganlib import versions

    values = [*(config.get(key) for key in staleness.OF_IMAGES), ",".join(networks_of(config))]
    return config.dataset, versions.of(*values)[:6]


def _set(config, *keys):
    """Converts the keys of a config that are set to flags of a job."""
    return [f"--{key}={config[key]}" for key in keys if config[key] not in (None, "")]


def compare(folder, configs):
    """Runs all unfinished trials.

    Args:
        folder: The folder of runs and results, a `pathlib.Path`.
        configs: A dict from names to `ConfigDict`.

    Returns:
        ``(rows, table, failures)``: the rows of results.json, the table in Markdown, and one line for each failed trial.
    """
    datasets = list(dict.fromkeys(map(data_of, configs.values())))
    floors = floors_of(configs.values(), folder)
    runs = [GanTrial(name, seed, configs[name], folder / f"{name}_seed{seed}") for seed in FLAGS.seeds for name in configs]
    check_metrics(configs)
    staleness.claim_all(runs, FLAGS.accept_other_code)
    # The floors run first: they train the in-domain classifiers and cache them for all trials.
    failures = processes.run_all(floors, folder, FLAGS.jobs) or processes.run_all(runs, folder, FLAGS.jobs)
    failures = failures or staleness.still_different([*floors, *runs])
    if failures:
        return [], "", failures
    rows = [(data_of(configs[name]), summary(name, [run for run in runs if run.name == name])) for name in configs]
    rows += [(data_of(floor.config), floor_row(floor)) for floor in floors]
    rows = [row for _, row in sorted(rows, key=lambda pair: datasets.index(pair[0]))]
    draw_curves(runs, folder / "fid.png")
    return rows, as_markdown(rows), []


def floors_of(configs, folder):
    """Returns the floor of each dataset that has test images."""
    from ganlib import UserError

    floors = []
    if not metrics_of_test_images():
        return floors
    for config in {data_of(config): config for config in configs if networks_of_test_images(config)}.values():
        try:
            staleness.images_of(config, "test")
            floors.append(Floor.of(config, folder))
        except UserError as error:
            print(f"no row of real test images: {error}", flush=True)
    return floors


def summary(name, runs):
    """Returns the row of one config: all values of every result, with mean and standard deviation over seeds."""
    results = [staleness.read(run.result)["results"] | {"minutes": float(trials.clock(run.workdir)[1][-1])} for run in runs]
    config = runs[0].config
    return {"name": name, "dataset": config.dataset, "steps": config.steps, **trials.statistics(results)}


def floor_row(floor):
    """Returns the row of real test images, which are evaluated once."""
    results = staleness.read(floor.result)["results"]
    return {"name": floor.row_name, "dataset": floor.config.dataset, **trials.statistics([results])}


def draw_curves(runs, path):
    """Plots the FID during training against minutes: a panel for each dataset and a line for each run."""
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


def as_markdown(rows):
    """Formats the rows as a Markdown table of mean ± standard deviation, with a column for each result of the metrics."""
    from ganlib.metrics.evaluate import results_to_show
    from ganlib.metrics.metric import Result

    known = results_to_show() | {"minutes": Result("minutes", "{:.1f}")}
    columns = {key: known[key.partition("@")[0]] for row in rows for key in row["mean"] if key.partition("@")[0] in known}
    lines = [["", "steps", *(", ".join(filter(None, (c.heading, key.partition("@")[2]))) for key, c in columns.items())]]
    for row in rows:
        cells = (trials.cell(row, key, column.format, column.scale) for key, column in columns.items())
        lines.append([row["name"], str(row.get("steps", "")), *cells])
    return trials.as_markdown(lines)
