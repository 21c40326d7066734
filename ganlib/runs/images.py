"""Opens the images of a config."""

import pathlib

from ganlib import data
from ganlib.errors import UserError
from ganlib.runs import resuming

OPENING = ("image_size", "data_dir", "skip_corrupt", "background", "fit", "label_file", "file_column", "label_column")
"""The config keys that are arguments of `ganlib.data.open`."""

TABLE = ("label_file", "file_column", "label_column")
"""The config keys that name the table of the labels of ``dataset``."""


def open_data(config, split="train"):
    """Opens the `ganlib.data.Source` that a config names.

    If some images of a folder have no label, these are included only for an unconditional GAN. A classifier finds them in
    ``all_images`` of the source.

    Args:
        config: A `ConfigDict`.
        split: The split to open. Defaults to ``"train"``.
    """
    arguments = {key: config[key] for key in OPENING if config.get(key) is not None}  # an older config lacks some
    source = data.open(config.dataset, split, **arguments)
    if config.get("classes"):
        return source.of_classes(config.classes.split(","))
    return source.all_images if source.all_images is not None and not _needs_labels(config) else source


def _needs_labels(config):
    """Returns True unless a config is that of a GAN that is trained without labels."""
    keys = ("conditional", "labels_per_class", "validation_per_class")
    return config.get("method") != "gan" or any(config.get(key) for key in keys)


def open_data_of(run, data_dir=None):
    """Opens the `ganlib.data.Source` of all images that a run was trained on, to evaluate or explain its model.

    Args:
        run: A `Run`.
        data_dir: The folder that now holds the TFDS datasets; None uses the config's ``data_dir``. Defaults to None.

    Raises:
        UserError: If the classes or the shape of the images differ from those in training. The model's labels would then
            refer to other classes. Also if the run was converted from an authors' file without a dataset.
    """
    if "converted_from" in run.facts and "num_examples" not in run.facts:
        raise UserError(
            f"{str(run.folder)!r} was converted without a dataset: convert the file again with --dataset and another --workdir"
        )
    config = run.config.copy_and_resolve_references()
    config.data_dir = data_dir or config.data_dir
    source = open_data(config)
    facts = {key: resuming.data_facts(source)[key] for key in ("image_shape", "class_names")}
    refusal = resuming.differences(({}, run.facts), ({}, facts)).refusal
    if refusal:
        raise UserError(f"{str(run.folder)!r} was trained on {refusal}: restore the images that it was trained on")
    return source


def open_test(config, metrics, features=()):
    """Opens the test split that a config's images have, if a metric or a feature network needs it. Otherwise returns None.

    Args:
        config: A `ConfigDict`.
        metrics: A list of names of metrics.
        features: A list of names of feature networks. Defaults to ``()``.

    Raises:
        UserError: If a metric is unknown, or there are no test images.
    """
    from ganlib.metrics.evaluate import metric_of

    needed = any("test" in metric_of(name).against for name in metrics)
    return open_data(config, "test") if needed or "in_domain:test" in features else None


def test_split(config):
    """Returns the name of the split of a config's dataset with images that a GAN is not trained on, or None."""
    table = {key: config.get(key) for key in TABLE if config.get(key)}
    splits = data.opening.splits(config.dataset, config.data_dir, **table)
    return next((split for split in ("test", "validation") if split in splits), None)


def training_images(config, source):
    """Returns the images that the generator of a run is trained on.

    For a GAN, these are all of ``source``, or the few labeled images that its config selects, or all images except those held
    out. For a semi-supervised GAN, they are the unlabeled images.

    Args:
        config: A `ConfigDict`.
        source: The `ganlib.data.Source` of all images.
    """
    is_gan = config.method == "gan"
    if is_gan and not (config.labels_per_class or config.validation_per_class):
        return source
    parts = few_labels(config, source)
    labeled_only = is_gan and (config.conditional or config.labels_per_class)
    return parts.labeled if labeled_only else parts.unlabeled


def few_labels(config, source, unlabeled=None):
    """Returns the `ganlib.data.FewLabels` that a config selects. A classifier's ``added_labels`` are among its labels.

    Args:
        config: A `ConfigDict`.
        source: The `ganlib.data.Source` of all training images.
        unlabeled: What `open_unlabeled` returns, if it was opened before. Defaults to None, which opens it.
    """
    return data.few_labels(source, **_selection(config, source, unlabeled))


def pool(config, source):
    """Returns the images of a classifier's training set from which more could be labeled.

    Args:
        config: A `ConfigDict`.
        source: The `ganlib.data.Source` of all training images.

    Returns:
        ``(source, indices)``: a `ganlib.data.Source`, and the ``(n,)`` int64 indices of its images that are neither labeled nor
        held out.
    """
    selection = _selection(config, source)
    return data.partition.pool_of(source, selection["unlabeled"]), data.partition.without_label(source, **selection)


def _selection(config, source, unlabeled=None):
    """Returns the arguments of `ganlib.data.few_labels` other than the source."""
    unlabeled, added = unlabeled or (None if config.method == "gan" else open_unlabeled(config)), None
    if config.get("added_labels"):
        parts = [path.strip() for path in config.added_labels.split(",")]
        tables = [config.added_labels] if pathlib.Path(config.added_labels).exists() else list(filter(None, parts))
        added = data.suggestions.read(tables, data.partition.pool_of(source, unlabeled), source.class_names)
    return {
        "per_class": config.labels_per_class,
        "seed": config.label_seed,
        "validation_per_class": config.validation_per_class,
        "unlabeled": unlabeled,
        "added": added,
    }


def listing_of(run, path, skip_corrupt):
    """Lists all images of a folder or a zip file, in any layout, to be loaded as the training images of a run were.

    Args:
        run: A `Run`.
        path: The folder or the zip file.
        skip_corrupt: Whether to skip unreadable files instead of failing.

    Returns:
        A `ganlib.data.listing.Listing`.

    Raises:
        UserError: If the folder is missing or empty, or a file is unreadable.
    """
    *size, channels = run.image_shape
    as_in_training = {"background": run.config.background, "fit": run.config.get("fit", "crop")}
    return data.folders.scan(path, None, tuple(size), skip_corrupt, **as_in_training).with_channels(channels)


def open_unlabeled(config):
    """Opens the `ganlib.data.Source` of all images of ``unlabeled_dataset``, whatever classes the config selects. Returns None
    if the config names none."""
    if not config.unlabeled_dataset:
        return None
    config = config.copy_and_resolve_references()
    config.dataset = config.unlabeled_dataset
    config.update(dict.fromkeys((*TABLE, "classes")))
    source = open_data(config)
    return source if source.all_images is None else source.all_images
