"""The model card of an export: the model, its data, its metrics and the inputs of its functions.

Mitchell et al. 2019, "Model cards for model reporting" (arXiv:1810.03993).
"""

import json

import ganlib
from ganlib.errors import UserError
from ganlib.export import examples, keras_file, litert, onnx, saved_model
from ganlib.files import read_dict, read_measures, write_json, written_whole

JSON, MARKDOWN = "model_card.json", "model_card.md"
EXPORT_FILES = (examples.NAME, saved_model.VERSION, onnx.NAME, litert.NAME, keras_file.NAME)
"""The other files and folders of an export."""
MEASURED = ("evaluation.json", "classification.json")
"""The files of a run that hold its metrics."""


def write(folder, run, functions, step, **facts):
    """Writes ``model_card.json`` and ``model_card.md``.

    Args:
        folder: The folder of the export, a `pathlib.Path`.
        run: The `ganlib.runs.Run` of the model.
        functions: A list of `ganlib.export.functions.Function`.
        step: The train step of the checkpoint.
        **facts: Further entries, as in ``licence="CC-BY-4.0"``.
    """
    card = {
        "name": name_of(run), "step": step, **facts, **_origin(run, facts), **identity(run),
        "background": run.config.background, "fit": run.config.get("fit", "crop"),
        "training_images": run.facts.get("num_examples"),
        "functions": {function.name: function_record(function) for function in functions},
        "measured": _measured(run.folder, step), "ganlib": ganlib.__version__, "trained_with": _software(run.facts),
        "config": json.loads(run.config.to_json_best_effort()),
    }  # fmt: skip
    write_json(folder / JSON, card)
    with written_whole(folder / MARKDOWN) as partial:
        partial.write_text(as_markdown(card))


def read(folder):
    """Reads the card in a folder as a dict.

    Args:
        folder: A folder that `experiments.export` has written, a `pathlib.Path`.

    Raises:
        UserError: If there is no card, or it is damaged.
    """
    path = folder / JSON
    if not path.exists():
        raise UserError(f"no export in {str(folder)!r}: it has no {JSON}; create one with experiments.export")
    card = read_dict(path)
    if card is None:
        raise UserError(f"{str(path)!r} is damaged: run experiments.export again")
    config = card.get("config", {})  # older cards have these values only there
    return {"background": config.get("background", "white"), "fit": config.get("fit", "crop"), **card}


def check_free(folder, run, form):
    """Checks that an export may be written to a folder: it must be new, empty, or hold an export of the same model and format.

    Args:
        folder: The folder, a `pathlib.Path`.
        run: The `ganlib.runs.Run` to export.
        form: The name of the format.

    Raises:
        UserError: If the folder holds anything else.
    """
    files = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not files:
        return
    advice = "pass a new or empty folder as --output, one for each model and format"
    if not (folder / JSON).exists():
        raise UserError(f"{str(folder)!r} is not empty and holds no export: {advice}")
    card = read(folder)
    expected = {"name": name_of(run), "format": form, **json.loads(json.dumps(identity(run)))}
    for key, value in expected.items():
        if card.get(key) != value:
            raise UserError(f"{str(folder)!r} holds another export, whose {key} is {card.get(key)!r}, not {value!r}: {advice}")
    foreign_files = {*files} - {JSON, MARKDOWN, *EXPORT_FILES}
    if foreign_files:
        raise UserError(
            f"{str(folder)!r} also holds {min(foreign_files)!r}, which is not part of an export: move it away, or {advice}"
        )


def name_of(run):
    """Returns the name of a run's model, which is the name of its folder."""
    return run.folder.resolve().name


def identity(run):
    """Returns the facts that identify the model of a run, a dict."""
    return {"data": run.facts["data"], "image_shape": list(run.image_shape), "class_names": list(run.class_names)}


def function_record(function):
    """Returns the inputs of a function for the card: name -> shape and dtype. In shapes "batch" stands for any size."""
    return {
        spec.name: {"shape": [size or "batch" for size in spec.shape], "dtype": spec.dtype.name} for spec in function.inputs
    }


def _origin(run, facts):
    """Returns the code, the file and the license of networks that ganlib has not trained, or an empty dict."""
    origin = run.facts.get("converted_from")
    if not origin:
        return {}
    licence = facts.get("licence") or origin["license"]
    return {"licence": licence, "trained_by": origin["code"], "converted_from": origin["file"], "sha256": origin["sha256"]}


def _measured(folder, step):
    """Returns the metrics of this step from the run's files, by the name of the file."""
    metrics = {}
    for name in MEASURED:
        path = folder / name
        values = read_measures(path)
        if values.get("step") == step:  # otherwise they belong to another checkpoint
            metrics[path.stem] = {key: value for key, value in values.items() if key != "confusion_matrix"}
    return metrics


def _software(facts):
    return {key: facts[key] for key in ("ganlib", "tensorflow", "keras", "python") if key in facts}


def as_markdown(card):
    """Returns the card as Markdown."""
    lines = [f"# {card['name']}", ""]
    plain = {key: value for key, value in card.items() if not isinstance(value, dict) and key != "name"}
    lines += [f"- **{key.replace('_', ' ')}**: {_shown(value)}" for key, value in plain.items()]
    lines += ["", "## Functions", "", "| function | input | shape | type |", "| --- | --- | --- | --- |"]
    for function, inputs in card["functions"].items():
        for name, spec in inputs.items():
            lines.append(f"| `{function}` | `{name}` | {_shown(spec['shape']) or 'one number'} | {spec['dtype']} |")
    for title, values in card["measured"].items():
        lines += ["", f"## Measured: {title}", ""]
        lines += [f"- **{key.replace('_', ' ')}**: {_shown(value)}" for key, value in values.items()]
    lines += ["", "## Config", "", "```json", json.dumps(card["config"], indent=1), "```"]
    return "\n".join(lines) + "\n"


def _shown(value):
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner:.4g}" if isinstance(inner, float) else f"{key} {inner}" for key, inner in value.items())
    return "not given" if value in (None, "") else value
