"""The symptoms of the images that a run is trained on, at its start and afterwards."""

from ganlib import data, plots
from ganlib.files import read_dict, write_json, written_whole
from ganlib.runs import images

SHOWN = 16
"""The largest number of images that are shown for a symptom."""


def at_start(run, source, test=None):
    """Examines the images of a run before its first step. Prints the symptoms, one a line, and writes ``diagnosis.json`` and
    pictures of the images that show them, for the report.

    A run that is resumed with the same images is not examined again. Among several workers, only the chief examines them.

    Args:
        run: A `ganlib.runs.Run`.
        source: The `ganlib.data.Source` of the training images, without those that are held out.
        test: The source of test or held-out images. Defaults to None.
    """
    path, content = run.workdir / "diagnosis.json", [source.fingerprint, test and test.fingerprint]
    if not run.is_chief or (read_dict(path) or {}).get("content") == content:
        return
    findings = of_source(run.config, source, test, run.config.seed)
    for finding in findings:
        print(f"data: {finding.symptom} (confidence {finding.confidence:.2f}): {finding.evidence}", flush=True)
        if len(finding.images):
            shown = (test if finding.symptom == "split_leak" else source).pick(finding.images[:SHOWN])
            with written_whole(run.workdir / "diagnosis" / f"{finding.symptom}.png") as partial:
                plots.image_grid(shown, columns=8).save(partial, format="png")
    write_json(path, {"content": content, "data": [finding.as_dict() for finding in findings]})


def of_data(config, seed=0):
    """Opens the images of a config, also its test images if it has some, and returns their symptoms.

    Folders of classes that cannot be opened, because one is empty, are reported too.

    Args:
        config: A `ConfigDict`.
        seed: An integer that determines which images are examined if there are too many. Defaults to 0.

    Returns:
        A list of `ganlib.diagnostics.Finding`, the surest first.

    Raises:
        UserError: If the images cannot be opened for another reason.
    """
    from ganlib.diagnostics import classes

    findings = []
    if config.dataset.startswith("folder:") and not any(config.get(key) for key in images.TABLE):
        findings = classes.folder_classes(data.listing.class_counts(config.dataset.removeprefix("folder:")))
    if findings:
        return findings
    source = images.open_data(config)
    table = {key: config.get(key) for key in images.TABLE if config.get(key)}
    has_test = "test" in data.opening.splits(config.dataset, config.data_dir, **table)
    test = images.open_data(config, "test") if has_test else None
    return of_source(config, images.training_images(config, source) if config.method == "gan" else source, test, seed)


def of_source(config, source, test=None, seed=0):
    """Returns the symptoms of the training images of a config: see `ganlib.diagnostics.of_dataset`.

    Args:
        config: A `ConfigDict`.
        source: The `ganlib.data.Source` of its training images.
        test: The source of test or held-out images. Defaults to None.
        seed: An integer that determines which images are examined if there are too many. Defaults to 0.
    """
    from ganlib import diagnostics

    is_gan = config.method == "gan"
    is_augmented = bool(is_gan and config.augment)
    return diagnostics.of_dataset(source, test, is_gan, is_augmented, bool(is_gan and config.conditional), seed)
