"""The images that a config names."""

from ganlib import data
from ganlib.errors import UserError
from ganlib.runs import resuming


def open_data(config, split="train"):
    """The `ganlib.data.Source` that a config names, by default what it trains on."""
    keys = ("image_size", "data_dir", "skip_corrupt", "background")
    source = data.open(config.dataset, split, **{key: config[key] for key in keys})
    return source.of_classes(config.classes.split(",")) if config.get("classes") else source


def open_data_of(run, data_dir=None):
    """The `ganlib.data.Source` of the images that a run was trained on, of all of them, to measure or explain its model by.

    Args:
        run: a `Run`.
        data_dir: where TFDS datasets lie now; None takes the config's.

    Raises:
        UserError: if the classes or the shape of the images are others than in training. A label of the model would be that
            of another class.
    """
    config = run.config.copy_and_resolve_references()
    config.data_dir = data_dir or config.data_dir
    source = open_data(config)
    facts = {key: resuming.data_facts(source)[key] for key in ("image_shape", "class_names")}
    refusal = resuming.differences(({}, run.facts), ({}, facts)).refusal
    if refusal:
        raise UserError(f"{str(run.folder)!r} was trained on {refusal}: bring the images back as they were")
    return source


def open_unlabeled(config):
    """The `ganlib.data.Source` of unlabeled images that a config names apart from its dataset; None without one."""
    if not config.unlabeled_dataset:
        return None
    config = config.copy_and_resolve_references()
    config.dataset = config.unlabeled_dataset
    return open_data(config)
