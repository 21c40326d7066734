"""Makes images with a trained run:
python -m experiments.generate --workdir=runs/digits --count=16 --seed=1 --output=grid.png

The output is a grid (.png), an .npz with the key "images" (uint8, NHWC), or a folder of single PNGs.
"""

import pathlib

from absl import flags

from experiments import job

WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a trained run", required=True)
OUTPUT = flags.DEFINE_string("output", "generated.png", "a .png for a grid, an .npz, or a folder for single PNGs")
COUNT = flags.DEFINE_integer("count", 64, "how many images", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "image k is a function of the seed and k")
LABELS = flags.DEFINE_list("labels", None, "classes to make in turn, as in 3,7; for conditional GANs")
BEST = flags.DEFINE_bool("best", False, "take the checkpoint with the lowest FID instead of the newest")
COLUMNS = flags.DEFINE_integer("columns", None, "images in a row of the grid", lower_bound=1)
TRUNCATION = flags.DEFINE_float("truncation", None, "largest absolute value of a latent; smaller is less varied")


def main():
    import numpy as np

    from ganlib import UserError, plots, runs

    labels = None
    if LABELS.value:
        if not all(label.strip().isdigit() for label in LABELS.value):
            raise UserError(f"--labels={','.join(LABELS.value)} is not a list of class numbers, as in 3,7")
        labels = np.resize([int(label) for label in LABELS.value], COUNT.value)
    model = runs.load_gan(WORKDIR.value, best=BEST.value)
    images = plots.to_uint8(model.generate(COUNT.value, labels, SEED.value, TRUNCATION.value))
    output = pathlib.Path(OUTPUT.value)
    if output.suffix not in ("", ".npz", ".png"):
        raise UserError(f"--output={output} is neither a .png, nor an .npz, nor a folder")
    (output if output.suffix == "" else output.parent).mkdir(parents=True, exist_ok=True)
    if output.suffix == ".npz":
        np.savez_compressed(output, images=images)
    elif output.suffix == ".png":
        plots.image_grid(images, COLUMNS.value).save(output)
    else:
        for index, image in enumerate(images):
            plots.to_image(image).save(output / f"{index:06d}.png")
    print(f"{len(images)} images: {output}")


if __name__ == "__main__":
    job.start(main)
