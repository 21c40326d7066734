"""A page that compares several runs: the config keys that differ, curves over each other, and samples side by side."""

import json
import pathlib

from ganlib import plots
from ganlib.diagnostics import run as run_symptoms
from ganlib.errors import UserError
from ganlib.files import read_measures, read_rows
from ganlib.runs import diagnosis, report

MISSING = "-"


def write(path, workdirs, title="Comparison"):
    """Writes a report of several runs that begins with what distinguishes them.

    Args:
        path: The HTML file to write.
        workdirs: The folders of the runs, at least two.
        title: The page's heading. Defaults to ``"Comparison"``.

    Returns:
        The path, as `pathlib.Path`.

    Raises:
        UserError: If a folder holds no run or is there twice, or there is only one.
    """
    folders = [pathlib.Path(workdir) for workdir in workdirs]
    if len(folders) < 2 or len({folder.resolve() for folder in folders}) < len(folders):
        raise UserError(f"a comparison needs at least two different runs, got {', '.join(map(str, folders)) or 'none'}")
    names = names_of(folders)
    for folder in folders:
        if not (folder / "config.json").exists():
            raise UserError(f"no run in {str(folder)!r}: it has no config.json")
    tables = [report.Table("Config keys that differ", ["key", *names], differences(folders)), _results(names, folders)]
    runs = dict(zip(names, folders, strict=True))
    rows = {name: read_rows(folder / "metrics.jsonl") for name, folder in runs.items()}
    measures = {name: read_rows(folder / diagnosis.ROWS) for name, folder in runs.items()}
    figures = {
        "Curves": plots.curves_of_runs(rows, report.curves()),
        "Examinations": plots.curves_of_runs(measures, run_symptoms.CURVES),
    }
    grids = {name: report.grids_of(folder) for name, folder in runs.items()}
    samples = {f"{name}, step {report.step_of(files[-1])}": files[-1] for name, files in grids.items() if files}
    shown = [table for table in tables if table.rows]
    return report.write(path, folders, title, shown, figures=figures, samples=samples)


def names_of(folders):
    """Returns different names of folders: the last part of each path, with the parts before it if two are equal."""
    for count in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-count:]) for folder in folders]
        if len(set(names)) == len(names):
            break
    return names


def differences(folders):
    """Returns the config keys whose values are not the same in all runs: a list of rows ``[key, value, ...]`` of text.

    Args:
        folders: The `pathlib.Path` of each run's folder.
    """
    configs = [_flattened(json.loads((folder / "config.json").read_text())) for folder in folders]
    keys = dict.fromkeys(key for config in configs for key in config)
    rows = [[key, *(config.get(key, MISSING) for config in configs)] for key in keys]
    return [row for row in rows if len(set(row[1:])) > 1]


def _flattened(config, prefix=""):
    """Returns a nested dict as a dict from keys such as ``generator.width`` to values as JSON."""
    flat = {}
    for key, value in config.items():
        if isinstance(value, dict) and value:
            flat |= _flattened(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return flat


def _results(names, folders):
    """Returns the table of the measures of the runs."""
    results = []
    for folder in folders:
        evaluation = read_measures(folder / "evaluation.json").get("results", {})
        classification = read_measures(folder / "classification.json")
        named = {key: classification[key] for key in report.CLASSIFIER_MEASURES if classification.get(key) is not None}
        results.append({key: value for key, value in (evaluation | named).items() if isinstance(value, (int, float))})
    keys = dict.fromkeys(key for result in results for key in result)
    rows = [[key, *(f"{result[key]:.4f}" if key in result else MISSING for result in results)] for key in keys]
    return report.Table("Results", ["measure", *names], rows)
