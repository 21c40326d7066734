"""Classifies the images of a folder or a zip file with a trained classifier:
python -m experiments.classify --workdir=runs/digits_sgan --images=/data/new --output=predictions.csv

The CSV file has one line per image: its path relative to --images, the predicted class, its probability, and the probabilities
of all classes. All images are classified, in any layout of subfolders. The probabilities are calibrated if the classifier's
config sets validation_per_class. Images are converted to the classifier's size and colors in the same way as the images of a
training folder, and only a few hundred of them are in memory at a time.

With --unknown=0.05, images of none of the classes get the answer "unknown". The limit is set on the held-out images: 5 % of
images of the classes become unknown, too. The column `energy` shows how far an image is from them.
"""

import csv
import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a trained classifier", required=True)
IMAGES = flags.DEFINE_string("images", None, "folder or zip file of images", required=True)
OUTPUT = flags.DEFINE_string("output", "predictions.csv", "CSV file to write")
UNKNOWN = flags.DEFINE_float("unknown", None, "answer 'unknown' where this share of held-out images would be; unset: never")
SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "skip unreadable files instead of failing")


ANSWER = "unknown"
"""The answer for images of none of the classes."""


def main():
    import numpy as np

    from ganlib import runs
    from ganlib.evaluation import unknown
    from ganlib.files import written_whole

    run = runs.open_run(WORKDIR.value)
    model = runs.load_classifier(run)
    classifier, limit = model.classifier, np.inf
    if UNKNOWN.value is not None:
        limit = unknown.threshold(run, int(model.step), UNKNOWN.value)
        check_names(run.class_names)
    names = [*run.class_names, *([ANSWER] if UNKNOWN.value is not None else [])]
    further = ["energy"] if UNKNOWN.value is not None else []
    listing = runs.images.listing_of(run, IMAGES.value, SKIP_CORRUPT.value)
    counts, confidence = np.zeros(len(names), int), 0.0
    with written_whole(OUTPUT.value) as partial, partial.open("w", newline="", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "class", "probability", *run.class_names, *further])
        for paths, logits in classified(classifier, listing):
            probabilities, energies = classifier.calibrated(logits), unknown.energies(logits)
            predictions = probabilities.argmax(axis=1)
            answers = np.where(energies > limit, len(run.class_names), predictions)
            for path, answer, row, energy in zip(paths, answers, probabilities, energies, strict=True):
                numbers = [f"{p:.4f}" for p in (row.max(), *row)]
                writer.writerow([path, names[answer], *numbers, *(f"{energy:.4f}" for _ in further)])
            counts += np.bincount(answers, minlength=len(counts))
            confidence += probabilities.max(axis=1).sum()
    for name, count in zip(names, counts, strict=True):
        print(f"{name:<24}{count:>8}")
    total = counts.sum()
    print(f"{total} images, mean confidence {100 * confidence / total:.1f} %: {pathlib.Path(OUTPUT.value)}")


def check_names(class_names):
    """Raises a `UserError` if a class has the name of the answer for images of none of the classes."""
    from ganlib import UserError

    if ANSWER in class_names:
        raise UserError(f"the classifier has a class {ANSWER!r}: leave --unknown unset")


def classified(classifier, listing):
    """Yields the relative paths of a block of images and their logits, ``(n, num_classes)`` float32.

    Raises:
        UserError: If an image is unreadable and the listing does not skip such images, or if all are.
    """
    import tqdm

    from ganlib import UserError
    from ganlib.data import folders, parallel

    errors, count = [], len(listing.paths)
    with tqdm.tqdm(total=count, desc="classifying", unit=" images", mininterval=1.0) as progress:
        for paths, images, errors_of_block in folders.blocks(listing):
            errors += errors_of_block
            if errors and not listing.skip_corrupt:
                break
            if len(images):
                yield paths, classifier.logits(images)
            progress.update(len(images) + len(errors_of_block))
    parallel.report(errors, count, listing.skip_corrupt)
    if len(errors) == count:
        raise UserError(f"none of the {count} images, such as {listing.paths[0]!r}, can be read: replace the files")


if __name__ == "__main__":
    job.start(main)
