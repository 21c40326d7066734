"""Shows that the FID increases with every kind of damage to images:
python -m experiments.studies.metric_sanity --output=docs/images/fid_sanity.png

Test images are blurred, made noisy, compressed as JPEG, or reduced to fewer classes, with increasing strength. Each set is
evaluated against the training images. The command fails if the FID does not increase at every step. It takes a few minutes on
two cores, most of which is the one-time training of the in-domain classifier.
"""

import io
import pathlib

import numpy as np
from absl import flags
from PIL import Image, ImageFilter

from experiments.common import job

DATASET = flags.DEFINE_string("dataset", "mnist", "labeled dataset, as in a config")
DATA_DIR = flags.DEFINE_string("data_dir", None, "folder of TFDS datasets; by default TFDS_DATA_DIR")
FEATURES = flags.DEFINE_string("features", "in_domain", "feature network")
OUTPUT = flags.DEFINE_string("output", "fid_sanity.png", "plot to write; a .json file of the same name gets the numbers")


def blur(image, strength, rng):
    """Applies Gaussian blur with a standard deviation of ``strength`` pixels."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(strength)))


def noise(image, strength, rng):
    """Adds Gaussian noise with a standard deviation of ``strength`` gray levels."""
    return np.clip(np.round(image + rng.normal(0, strength, image.shape)), 0, 255).astype(np.uint8)


def jpeg(image, strength, rng):
    """Compresses the image as JPEG with quality ``100 - strength``."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=100 - strength)
    return np.asarray(Image.open(buffer))


DAMAGES = {
    "blur: deviation, pixels": (blur, (0.3, 0.5, 0.7, 1.0, 1.5, 2.0)),
    "noise: deviation, gray levels": (noise, (4, 8, 16, 32, 64)),
    "JPEG: 100 - quality": (jpeg, (20, 50, 70, 80, 90, 95)),
}


def main():
    from ganlib import UserError, data
    from ganlib.evaluation import Evaluation

    source, test = (data.open(DATASET.value, split, data_dir=DATA_DIR.value) for split in ("train", "test"))
    evaluate = Evaluation(source, ["fid"], FEATURES.value)

    def fid(images):
        return evaluate.of_source(data.from_arrays("damaged", images))["fid"]

    floor = fid(test.images)
    curves = {name: [(0, floor)] for name in (*DAMAGES, "classes left out")}
    for name, (damage, strengths) in DAMAGES.items():
        rng = np.random.default_rng(0)
        for strength in strengths:
            damaged = [damage(image.squeeze(-1) if image.shape[-1] == 1 else image, strength, rng) for image in test.images]
            curves[name].append((strength, fid(np.stack(damaged).reshape(test.images.shape))))
    for left_out in range(1, test.num_classes):
        curves["classes left out"].append((left_out, fid(test.images[test.labels >= left_out])))
    draw(curves, floor, evaluate.extractor.name)
    for name, points in curves.items():
        print(f"{name:<32}" + "  ".join(f"{strength}: {value:.2f}" for strength, value in points))
        values = [value for _, value in points]
        if values != sorted(values):
            raise UserError(f"the FID does not increase with {name}: {values}")


def draw(curves, floor, features):
    """Plots the curves and writes their numbers."""
    import matplotlib.figure

    from ganlib.files import write_json

    figure = matplotlib.figure.Figure(figsize=(4 * len(curves), 3.2), layout="constrained")
    for axes, (name, points) in zip(figure.subplots(1, len(curves)), curves.items(), strict=True):
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4)
        axes.axhline(floor, color="gray", linewidth=0.8, linestyle="--")
        axes.set(xlabel=name, ylabel="FID", yscale="log")
        axes.grid(alpha=0.3)
    figure.suptitle(f"FID of damaged {DATASET.value} test images against the training images, {features}", fontsize=11)
    output = pathlib.Path(OUTPUT.value)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=90)
    write_json(output.with_suffix(".json"), curves)


if __name__ == "__main__":
    job.start(main)
