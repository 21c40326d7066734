"""A self-contained HTML report about one or several runs: config, curves, sample grids, confusion matrix."""

import base64
import dataclasses
import io
import json
import pathlib

import jinja2
import numpy as np

from ganlib import plots
from ganlib.diagnostics import run as run_symptoms
from ganlib.diagnostics.finding import Finding
from ganlib.errors import UserError
from ganlib.files import read_measures, written_whole
from ganlib.metrics.evaluate import results_to_show
from ganlib.runs import diagnosis
from ganlib.training.callbacks import read_rows

EARLIER_SAMPLES = 4

CLASSIFIER_MEASURES = {
    "majority_accuracy": "always the most frequent class",
    "test_accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "F1, mean of the classes",
    "roc_auc": "area under the ROC curve",
}
"""Key of classification.json -> its name in the table of a classifier."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table to show above the runs. The first column is text, the others are numbers."""

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def curves():
    """Returns the plots of a run, in the format of `ganlib.plots.curves`, from the losses and `results_to_show`."""
    losses = {
        "discriminator_loss": "discriminator",
        "generator_loss": "generator",
        "labeled_loss": "labeled",
        "unlabeled_loss": "unlabeled",
        "loss": "cross-entropy",
    }
    metric_plots = {}
    for key, result in results_to_show().items():
        title = result.curve or result.heading
        metric_plots.setdefault(title, {})[key] = result.heading if result.scale == 1.0 else title  # curves are not scaled
    return [
        ("losses", losses),
        ("mean logits", {"real_logits": "D(real)", "fake_logits": "D(fake)"}),
        *metric_plots.items(),
        ("accuracy", {"validation_accuracy": "validation", "train_accuracy": "training"}),
    ]


def write(path, workdirs, title, tables=(), intro="", figures=None, samples=None, reload_seconds=None):
    """Writes a report.

    Args:
        path: The HTML file to write.
        workdirs: The run folders to show, in order.
        title: The page's heading.
        tables: The `Table` objects to show above the runs. Defaults to ``()``.
        intro: A sentence under the heading. Defaults to ``""``.
        figures: A dict from headings to `matplotlib.figure.Figure` objects, or None, to show above the runs. Defaults to None.
        samples: A dict from captions to pictures, whose files are shown side by side above the runs. Defaults to None.
        reload_seconds: The time after which a browser loads the page again, for a training that goes on. Defaults to None.

    Returns:
        The path, as `pathlib.Path`.

    Raises:
        UserError: If a folder holds no run.
    """
    environment = jinja2.Environment(loader=jinja2.PackageLoader("ganlib"), autoescape=True, trim_blocks=True)
    page = environment.get_template("report.html").render(
        title=title,
        intro=intro,
        tables=tables,
        figures={heading: _figure_uri(figure) for heading, figure in (figures or {}).items() if figure is not None},
        samples={caption: _file_uri(picture) for caption, picture in (samples or {}).items()},
        reload_seconds=reload_seconds,
        runs=[_describe(pathlib.Path(workdir)) for workdir in workdirs],
    )
    with written_whole(path) as partial:
        partial.write_text(page)
    return pathlib.Path(path)


def grids_of(workdir):
    """Returns the files of the sample grids of a run, in the order of the steps."""
    return sorted((pathlib.Path(workdir) / "samples").glob("step_*.png"))


def step_of(grid):
    """Returns the step of the file of a sample grid."""
    return int(grid.stem.removeprefix("step_"))


def _describe(workdir):
    """Returns the variables of the template for one run."""
    try:
        config = json.loads((workdir / "config.json").read_text())
        facts = json.loads((workdir / "run.json").read_text())
    except FileNotFoundError:
        raise UserError(f"no run in {str(workdir)!r}: it has no config.json and run.json") from None
    rows = read_rows(workdir / "metrics.jsonl")
    samples = [{"step": step_of(grid), "image": _file_uri(grid)} for grid in _spread(grids_of(workdir))]
    classification, evaluation = workdir / "classification.json", workdir / "evaluation.json"
    mistakes = workdir / "mistakes.png"
    return {
        "title": workdir.name,
        "note": _summary(config, facts, rows),
        "findings": _findings(workdir),
        "measures": _figure_uri(plots.curves(read_rows(workdir / diagnosis.ROWS), run_symptoms.CURVES)),
        "last_sample": samples[-1] if samples else None,
        "earlier_samples": samples[:-1],
        **{name: _picture(workdir / "samples", name) for name in ("interpolation", "walk", "progress")},
        "curves": _figure_uri(plots.curves(rows, curves())),
        "classification": _measured(classification, rows),
        "classification_measures": _classifier_measures(classification),
        "f1_by_class": _f1_by_class(classification),
        "confusion": _confusion(classification, facts),
        "mistakes": _file_uri(mistakes) if mistakes.exists() else None,
        "evaluation": _measured(evaluation, rows),
        "config": json.dumps(config, indent=2),
        "facts": json.dumps(facts, indent=2),
    }


def _findings(workdir):
    """Returns the symptoms of the training and of the data: a dict from headings to lists of dicts, each with a picture of the
    images that show it, or None."""
    pictures = {path.stem: _file_uri(path) for path in (workdir / "diagnosis").glob("*.png")}
    content = diagnosis.read(workdir)
    found = {}
    for heading, part, suffix in (("What the training shows", "run", "_of_run"), ("What the data shows", "data", "")):
        try:
            findings = [Finding(**finding) for finding in content.get(part, [])]
        except (TypeError, ValueError):  # the file is damaged
            continue
        if findings:
            found[heading] = [finding.as_dict() | {"picture": pictures.get(finding.symptom + suffix)} for finding in findings]
    return found


def _measured(path, rows):
    """Returns the results in a JSON file, or None if it is missing or damaged. ``stale`` is a note if the run has been
    trained further since."""
    results = read_measures(path)
    if not results:
        return None
    step, newest = results.get("step"), rows[-1]["step"] if rows else None
    stale = f"Measured at step {step}; the run has {newest} steps." if None not in (step, newest) and step != newest else ""
    return {**results, "stale": stale}


def _summary(config, facts, rows):
    height, width, channels = facts["image_shape"]
    parts = [f"{config['method']} on {facts['data']} ({facts['num_examples']} images of {height}x{width}x{channels})"]
    per_class, is_gan = config.get("labels_per_class"), config["method"] == "gan"
    if per_class is not None:
        parts.append(f"{per_class} {'images' if is_gan else 'labels'} per class, label seed {config['label_seed']}")
    elif not is_gan:
        parts.append("all labels")
    parts.append(f"networks {config['networks']}, batch {config['batch_size']}, seed {config['seed']}")
    if rows:
        parts.append(f"{rows[-1]['step']} steps")
    return "; ".join(parts)


def _spread(grids):
    """Returns at most `EARLIER_SAMPLES` grids spread over time, and the last grid."""
    if len(grids) <= EARLIER_SAMPLES + 1:
        return grids
    return [grids[i] for i in np.linspace(0, len(grids) - 1, EARLIER_SAMPLES + 1).round().astype(int)]


def _classifier_measures(path):
    """Returns the rows ``(name, value, interval)`` of a classifier's table, all text. Earlier files have only the accuracy."""
    results = read_measures(path)
    intervals = results.get("intervals", {})
    return [
        (name, _percent(results[key]), " to ".join(map(_percent, intervals.get(key) or [])))
        for key, name in CLASSIFIER_MEASURES.items()
        if results.get(key) is not None and intervals
    ]


def _f1_by_class(path):
    return {name: _percent(value) for name, value in read_measures(path).get("f1_by_class", {}).items()}


def _percent(value):
    return "" if value is None else f"{100 * value:.1f}"


def _confusion(path, facts):
    matrix = read_measures(path).get("confusion_matrix")
    return _figure_uri(plots.confusion_matrix(np.array(matrix), facts["class_names"])) if matrix else None


def _picture(folder, name):
    """Returns the picture of a name in a folder, or None if there is none."""
    return next((_file_uri(path) for path in sorted(folder.glob(f"{name}.*")) if path.suffix in (".png", ".webp")), None)


def _file_uri(path):
    return _uri(path.read_bytes(), path.suffix.removeprefix("."))


def _figure_uri(figure):
    if figure is None:
        return None
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return _uri(buffer.getvalue())


def _uri(content, kind="png"):
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()
