"""Classifies the images of a folder with a trained classifier:
python -m experiments.classify --workdir=runs/digits_sgan --images=/data/new --output=predictions.csv

The CSV file has one line per image: the file name, the predicted class, its probability, and the probabilities of all classes.
The probabilities are calibrated if the classifier's config sets validation_per_class. Images are converted to the classifier's
size and colors in the same way as the images of a training folder.
"""

import csv
import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a trained classifier", required=True)
IMAGES = flags.DEFINE_string("images", None, "folder of images", required=True)
OUTPUT = flags.DEFINE_string("output", "predictions.csv", "CSV file to write")
SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "skip unreadable files instead of failing")


def main():
    import numpy as np

    from ganlib import runs
    from ganlib.data import folders
    from ganlib.files import written_whole

    run = runs.open_run(WORKDIR.value)
    classifier = runs.load_classifier(run)
    *size, channels = run.image_shape
    listing = folders.scan(IMAGES.value, None, tuple(size), SKIP_CORRUPT.value, run.config.background)
    listing, images = folders.load_all(listing.with_channels(channels))
    probabilities = classifier.classify(images)
    predictions = probabilities.argmax(axis=1)
    with written_whole(OUTPUT.value) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "class", "probability", *run.class_names])
        for path, label, row in zip(listing.paths, predictions, probabilities, strict=True):
            writer.writerow([path, run.class_names[label], f"{row[label]:.4f}", *(f"{p:.4f}" for p in row)])
    for label, count in enumerate(np.bincount(predictions, minlength=len(run.class_names))):
        print(f"{run.class_names[label]:<24}{count:>8}")
    print(f"{len(images)} images, mean confidence {100 * probabilities.max(axis=1).mean():.1f} %: {pathlib.Path(OUTPUT.value)}")


if __name__ == "__main__":
    job.start(main)
