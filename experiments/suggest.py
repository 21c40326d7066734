"""Suggests which images to label next: python -m experiments.suggest --workdir=runs/parts --count=20

Writes a table with one row per image, the most uncertain first, and their pictures. Without --images, they are training images
of the classifier that are neither labeled nor held out. Write their classes into the column `label` of the table, and train
again in another workdir with --config.added_labels=suggestions.csv. The images are uncertain and typical ones that differ from
each other: see `ganlib.evaluation.suggestions`.
"""

import functools
import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a trained classifier", required=True)
COUNT = flags.DEFINE_integer("count", 20, "number of images to suggest", lower_bound=1)
IMAGES = flags.DEFINE_string("images", None, "folder or zip file of other images to choose from; unset: the training images")
OUTPUT = flags.DEFINE_string("output", "suggestions.csv", "CSV file to write; the pictures are written next to it as .png")
SEED = flags.DEFINE_integer("seed", 0, "seed of the clusters", lower_bound=0, upper_bound=2**32 - 1)
DATA_DIR = flags.DEFINE_string("data_dir", None, "folder of the TFDS datasets; unset: that of the training")
SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "skip unreadable files of --images instead of failing")


def main():
    from ganlib import UserError, plots, runs
    from ganlib.data import suggestions
    from ganlib.evaluation.suggestions import suggest
    from ganlib.files import written_whole
    from ganlib.runs import features

    output = pathlib.Path(OUTPUT.value)
    if output.suffix.lower() == ".png":
        raise UserError(f"--output={output} is the table: choose a name that ends in .csv")
    if not suggestions.can_be_replaced(output):
        raise UserError(f"{str(output)!r} has labels or other content that would be lost: choose another --output")
    if output.with_suffix(".png").exists() and not output.exists():
        raise UserError(f"{str(output.with_suffix('.png'))!r} would be replaced: choose another --output")
    run = runs.open_run(WORKDIR.value)
    check_outside(output, run.config)
    model = runs.load_classifier(run)
    source, indices = candidates(run)
    encode = functools.partial(features.encoded, model)
    found = suggest(model.classifier, source, indices, COUNT.value, SEED.value, encode)
    names = suggestions.names_of(source, found.indices, with_folder=IMAGES.value is not None)
    predictions = [run.class_names[k] for k in found.predictions]
    suggestions.write(output, names, predictions, found.probabilities, found.uncertainties)
    captions = [
        f"{rank}: {name}\n{100 * probability:.0f} %"
        for rank, (name, probability) in enumerate(zip(predictions, found.probabilities, strict=True), 1)
    ]
    with written_whole(output.with_suffix(".png")) as partial:
        plots.captioned_grid(source.pick(found.indices), captions).savefig(partial, dpi=90)
    print(f"{len(names)} of {len(indices)} images to label: {output}, pictures: {output.with_suffix('.png')}")


def check_outside(output, config):
    """Raises a `UserError` if a file would be written into a folder of images, where it would count as an image or a table."""
    from ganlib import UserError

    for name in filter(None, (IMAGES.value, config.dataset, config.get("unlabeled_dataset"))):
        folder = pathlib.Path(name.removeprefix("folder:")).absolute()
        if folder.is_dir() and output.absolute().is_relative_to(folder):
            raise UserError(f"--output={output} is in a folder of images, {str(folder)!r}: choose a name outside of it")


def candidates(run):
    """Returns ``(source, indices)``: a `ganlib.data.Source`, and the indices of its images that could be labeled."""
    import numpy as np

    from ganlib import runs
    from ganlib.data import folder_source

    if IMAGES.value is None:
        config = run.config.copy_and_resolve_references()
        config.data_dir = DATA_DIR.value or config.data_dir
        return runs.pool(config, runs.open_data_of(run, DATA_DIR.value))
    path = IMAGES.value.removeprefix("folder:")
    source = folder_source.source_of(runs.images.listing_of(run, path, SKIP_CORRUPT.value), f"folder:{path}")
    return source, np.arange(source.num_examples)


if __name__ == "__main__":
    job.start(main)
