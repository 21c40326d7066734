"""The model card that goes with what is exported: what it is, of what data, how good, how to call it.

Mitchell et al. 2019, "Model cards for model reporting" (arXiv:1810.03993).
"""

import json

import ganlib
from ganlib.files import write_json, written_whole

MEASURED = ("evaluation.json", "classification.json")
"""The files of a run that say how good it is."""


def write(folder, name, run, functions, **facts):
    """Writes ``model_card.json`` and ``model_card.md``.

    Args:
        folder: a `pathlib.Path`.
        name: of the model.
        run: the `ganlib.runs.Run` that it was trained in.
        functions: of `ganlib.export.functions`.
        facts: what else to tell, as in ``licence="CC-BY-4.0"``.
    """
    card = {
        "name": name, **facts, "data": run.facts["data"], "training_images": run.facts.get("num_examples"),
        "image_shape": list(run.image_shape), "class_names": list(run.class_names),
        "functions": {function.name: described(function) for function in functions},
        "measured": _measured(run.folder), "ganlib": ganlib.__version__, "trained_with": _software(run.facts),
        "config": json.loads(run.config.to_json_best_effort()),
    }  # fmt: skip
    write_json(folder / "model_card.json", card)
    with written_whole(folder / "model_card.md") as partial:
        partial.write_text(as_markdown(card))


def described(function):
    """The inputs of a function as the card has them: name -> shape, in which "batch" stands for any size, and dtype."""
    return {
        spec.name: {"shape": [size or "batch" for size in spec.shape], "dtype": spec.dtype.name} for spec in function.inputs
    }


def _measured(folder):
    """What the run's files hold of measures: numbers, and of what they are."""
    found = {}
    for name in MEASURED:
        path = folder / name
        if path.exists():
            found[path.stem] = {key: value for key, value in json.loads(path.read_text()).items() if key != "confusion_matrix"}
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
