"""The model card that goes with what is exported: what it is, of what data, how good, how to call it.

Mitchell et al. 2019, "Model cards for model reporting" (arXiv:1810.03993).
"""

import json

import ganlib
from ganlib.errors import UserError
from ganlib.export import examples, keras_file, litert, onnx, saved_model
from ganlib.files import read_dict, read_measures, write_json, written_whole

JSON, MARKDOWN = "model_card.json", "model_card.md"
OF_EXPORTS = (examples.NAME, saved_model.VERSION, onnx.NAME, litert.NAME, keras_file.NAME)
"""What else the folder of an export holds."""
MEASURED = ("evaluation.json", "classification.json")
"""The files of a run that say how good it is."""


def write(folder, run, functions, step, **facts):
    """Writes ``model_card.json`` and ``model_card.md``.

    Args:
        folder: a `pathlib.Path`.
        run: the `ganlib.runs.Run` that it was trained in.
        functions: of `ganlib.export.functions`.
        step: the train step of the checkpoint.
        facts: what else to tell, as in ``licence="CC-BY-4.0"``.
    """
    card = {
        "name": name_of(run), "step": step, **facts, **identity(run), "background": run.config.background,
        "training_images": run.facts.get("num_examples"),
        "functions": {function.name: function_record(function) for function in functions},
        "measured": _measured(run.folder, step), "ganlib": ganlib.__version__, "trained_with": _software(run.facts),
        "config": json.loads(run.config.to_json_best_effort()),
    }  # fmt: skip
    write_json(folder / JSON, card)
    with written_whole(folder / MARKDOWN) as partial:
        partial.write_text(as_markdown(card))


def read(folder):
    """The card in a folder, a dict.

    Args:
        folder: a `pathlib.Path`, what `experiments.export` has written.

    Raises:
        UserError: if there is none, or it is damaged.
    """
    path = folder / JSON
    if not path.exists():
        raise UserError(f"no export in {str(folder)!r}: it has no {JSON}; write one by experiments.export")
    card = read_dict(path)
    if card is None:
        raise UserError(f"{str(path)!r} is damaged: write the export again by experiments.export")
    return {"background": card.get("config", {}).get("background", "white"), **card}  # an older card has it in its config alone


def check_free(folder, run, form):
    """Looks whether an export may be written to a folder: a new or empty one, or one that holds the same model and format.

    Args:
        folder: a `pathlib.Path`.
        run: the `ganlib.runs.Run` to export.
        form: the name of the format.

    Raises:
        UserError: if the folder holds anything else.
    """
    held = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not held:
        return
    advice = "give an empty or a new folder as --output, one for each model and format"
    if not (folder / JSON).exists():
        raise UserError(f"{str(folder)!r} is not empty and holds no export: {advice}")
    card = read(folder)
    wanted = {"name": name_of(run), "format": form, **json.loads(json.dumps(identity(run)))}
    for key, value in wanted.items():
        if card.get(key) != value:
            raise UserError(f"{str(folder)!r} holds another export, whose {key} is {card.get(key)!r}, not {value!r}: {advice}")
    others = {*held} - {JSON, MARKDOWN, *OF_EXPORTS}
    if others:
        raise UserError(f"{str(folder)!r} also holds {min(others)!r}, which is no part of an export: move it away, or {advice}")


def name_of(run):
    """The name of a run's model: that of its folder."""
    return run.folder.resolve().name


def identity(run):
    """The facts that identify the model of a run."""
    return {"data": run.facts["data"], "image_shape": list(run.image_shape), "class_names": list(run.class_names)}


def function_record(function):
    """The inputs of a function as the card has them: name -> shape, in which "batch" stands for any size, and dtype."""
    return {
        spec.name: {"shape": [size or "batch" for size in spec.shape], "dtype": spec.dtype.name} for spec in function.inputs
    }


def _measured(folder, step):
    """What the run's files hold of measures of this step: numbers, and of what they are."""
    found = {}
    for name in MEASURED:
        path = folder / name
        values = read_measures(path)
        if values.get("step") == step:  # others are of another checkpoint
            found[path.stem] = {key: value for key, value in values.items() if key != "confusion_matrix"}
    return found


def _software(facts):
    return {key: facts[key] for key in ("ganlib", "tensorflow", "keras", "python") if key in facts}


def as_markdown(card):
    """The card to read."""
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
