"""What `experiments.evaluate` records and reports beside the numbers."""

import pathlib

from absl import logging


def seed_and_selection(selection, seed):
    """Returns the seed of the evaluation, and what the record says about the selection of the checkpoint.

    Args:
        selection: What the FIDs depended on by which the checkpoint was selected; None for the newest checkpoint.
        seed: The value of ``--seed``, or None.
    """
    from ganlib import UserError

    if selection is None:
        return seed or 0, {}
    if seed == selection["seed"]:
        raise UserError(f"--seed={seed} generated the images by which the best checkpoint was selected: pass another --seed")
    return selection["seed"] + 1 if seed is None else seed, {"selected_by": selection}


def described(parameters):
    """Returns a line such as ``"k 3, 1297 real and 2000 generated images"``."""
    counts = " and ".join(f"{count} {name}" for name, count in parameters.get("images", {}).items())
    others = [f"{key} {value}" for key, value in parameters.items() if key != "images"]
    return ", ".join(others + [f"{counts} images"] * bool(counts))


def warn_about_jpeg(dataset):
    """Logs a warning if a folder of generated images has JPEG files, whose compression changes the FID (Parmar et al. 2022,
    arXiv:2104.11222).
    """
    kind, _, folder = dataset.partition(":")
    paths = pathlib.Path(folder).rglob("*") if kind == "folder" else ()
    if any(path.suffix.lower() in (".jpg", ".jpeg") for path in paths):
        logging.warning("%s has JPEG files, whose compression changes the FID: save generated images as PNG", dataset)
