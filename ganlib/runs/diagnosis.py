"""The symptoms of the images that a run is trained on, at its start and afterwards."""

from ganlib import data, plots
from ganlib.errors import UserError
from ganlib.files import read_dict, write_json, written_whole
from ganlib.runs import images

ROWS = "diagnosis.jsonl"
"""The file of a run folder with what was measured at each examination of the training."""
SHOWN = 16
"""The largest number of images that are shown for a symptom."""


def at_start(run, source, test=None, labeled=None):
    """Examines the images of a run before its first step. Prints the symptoms, one a line, and writes ``diagnosis.json`` and
    pictures of the images that show them, for the report.

    A run that is resumed with the same images is not examined again. Among several workers, only the chief examines them.

    Args:
        run: A `ganlib.runs.Run`.
        source: The `ganlib.data.Source` of the training images, without those that are held out.
        test: The source of test or held-out images. Defaults to None.
        labeled: The source of the labeled images. Defaults to None, for a GAN.
    """
    parts = [source, test, labeled]
    content = [part and part.fingerprint for part in parts]
    if not run.is_chief or read(run.workdir).get("content") == content:
        return
    findings = of_source(run.config, *parts, run.config.seed)
    shown_in = {"split_leak": test, "class_imbalance": labeled or source}
    for finding in findings:
        print(f"data: {finding.symptom} (confidence {finding.confidence:.2f}): {finding.evidence}", flush=True)
        if len(finding.images):
            shown = shown_in.get(finding.symptom, source).pick(finding.images[:SHOWN])
            with written_whole(run.workdir / "diagnosis" / f"{finding.symptom}.png") as partial:
                plots.image_grid(shown, columns=8).save(partial, format="png")
    update(run.workdir, content=content, data=[finding.as_dict() for finding in findings])


def read(workdir):
    """Returns the contents of the ``diagnosis.json`` of a run folder: a dict, empty if the file is missing or damaged.

    Args:
        workdir: The `pathlib.Path` of the folder.

    Returns:
        A dict with ``content``, what identifies the examined images; ``data`` and ``run``, lists of the symptoms of the images
        and of the training, as from `ganlib.diagnostics.Finding.as_dict`; and ``stopped``, why the training stopped at a value
        that is not finite.
    """
    return read_dict(workdir / "diagnosis.json") or {}


def update(workdir, **parts):
    """Replaces parts of the ``diagnosis.json`` of a run folder: see `read`."""
    write_json(workdir / "diagnosis.json", read(workdir) | parts)


def of_data(config, seed=0, open_source=None):
    """Opens the images that a config would train and test on, and returns their symptoms.

    Folders of classes that cannot be opened, because one is empty or named like a split, are reported too.

    Args:
        config: A `ConfigDict`.
        seed: An integer that determines which images are examined if there are too many. Defaults to 0.
        open_source: A function that opens the `ganlib.data.Source` of all training images. Defaults to None, which opens those
            of the config.

    Returns:
        A list of `ganlib.diagnostics.Finding`, the surest first.

    Raises:
        UserError: If the images cannot be opened for another reason.
    """
    try:
        source = open_source() if open_source else images.open_data(config)
        return of_source(config, *_parts(config, source), seed)
    except UserError:
        findings = _of_folders(config)
        if not findings:
            raise
        return findings


def _parts(config, source):
    """Returns ``(source, test, labeled)`` as for `at_start`, from all training images."""
    if config.method != "gan":
        parts = images.few_labels(config, source)
        test = images.open_data(config, config.test_split) if config.test_split else parts.validation
        return parts.unlabeled, test, parts.labeled
    split = images.test_split(config)
    return images.training_images(config, source), split and images.open_data(config, split), None


def _of_folders(config):
    from ganlib.diagnostics import classes

    if not config.dataset.startswith("folder:"):
        return []
    try:
        counts = data.listing.class_counts(config.dataset.removeprefix("folder:"))
    except UserError:
        return []
    return classes.folder_classes(counts)


def of_source(config, source, test=None, labeled=None, seed=0):
    """Returns the symptoms of the training images of a config: see `ganlib.diagnostics.of_dataset`.

    Args:
        config: A `ConfigDict`.
        source: The `ganlib.data.Source` of its training images.
        test: The source of test or held-out images. Defaults to None.
        labeled: The source of the labeled images of a classifier. Defaults to None.
        seed: An integer that determines which images are examined if there are too many. Defaults to 0.
    """
    from ganlib import diagnostics

    is_gan = config.method == "gan"
    return diagnostics.of_dataset(
        source,
        test,
        labeled,
        is_gan=is_gan,
        is_augmented=bool(is_gan and config.augment),
        is_conditional=bool(is_gan and config.conditional),
        is_series=not config.get("classes"),
        seed=seed,
    )
