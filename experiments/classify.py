"""Classifies the images of a folder with a trained classifier:
python -m experiments.classify --workdir=runs/digits_sgan --images=/data/new --output=predictions.csv

The CSV has a line for each image: its file, the class, the probability of that class, then those of all classes. The
probabilities are calibrated where the classifier's config has validation_per_class. Images are brought to the
classifier's size and colors as those of a training folder are.
"""

import csv
import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a trained classifier", required=True)
IMAGES = flags.DEFINE_string("images", None, "a folder of images", required=True)
OUTPUT = flags.DEFINE_string("output", "predictions.csv", "the CSV file to write")
SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "leave out unreadable files instead of failing")


def main():
    import numpy as np

    from ganlib import runs
    from ganlib.data import folders
    from ganlib.evaluation import classification
    from ganlib.files import written_whole

    run = runs.open_run(WORKDIR.value)
    classifier = classification.load(run)
    size, _, channels = run.image_shape
    listing = folders.scan(IMAGES.value, None, size, SKIP_CORRUPT.value, run.config.background)
    listing, images = folders.load_all(listing.with_channels(channels))
    probabilities = classifier.classify(images)
    chosen = probabilities.argmax(axis=1)
    with written_whole(OUTPUT.value) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "class", "probability", *run.class_names])
        for path, label, row in zip(listing.paths, chosen, probabilities, strict=True):
            writer.writerow([path, run.class_names[label], f"{row[label]:.4f}", *(f"{p:.4f}" for p in row)])
    for label, count in enumerate(np.bincount(chosen, minlength=len(run.class_names))):
        print(f"{run.class_names[label]:<24}{count:>8}")
    print(f"{len(images)} images, mean confidence {100 * probabilities.max(axis=1).mean():.1f} %: {pathlib.Path(OUTPUT.value)}")


if __name__ == "__main__":
    job.start(main)
