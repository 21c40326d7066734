"""Makes images with a trained run:
python -m experiments.generate --workdir=runs/digits --count=16 --seed=1 --output=grid.png

The output is a grid (.png), an .npz with the key "images" (uint8, NHWC), or a folder of single PNGs, which takes the place of
the images that an earlier call left there; a folder with anything else in it is refused. Other kinds of images, by
--kind: "interpolation" has a path between two images in each row, "directions" a strongest direction of the latents or styles
in each row (stylegan2, biggan), "rejection" those that the discriminator chose, "langevin" those that it moved.
"""

import pathlib
import re

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a trained run", required=True)
OUTPUT = flags.DEFINE_string("output", "generated.png", "a .png for a grid, an .npz, or a folder for single PNGs")
COUNT = flags.DEFINE_integer("count", 64, "how many images", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "image k is a function of the seed and k")
LIKE = flags.DEFINE_string("like", None, "a picture, or a folder of some, like each of which images are made in turn, by a GAN "
                           "that is told instances")  # fmt: skip
LABELS = flags.DEFINE_list("labels", None, "classes to make in turn, as in 3,7; for conditional GANs")
BEST = flags.DEFINE_bool("best", False, "take the checkpoint with the lowest FID instead of the newest")
COLUMNS = flags.DEFINE_integer("columns", None, "images in a row of the grid", lower_bound=1)
TRUNCATION = flags.DEFINE_float("truncation", None, "largest absolute value of a latent, or of a style in parts of its own; "
                                "smaller is less varied")  # fmt: skip
KINDS = ["samples", "interpolation", "directions", "rejection", "langevin"]
KIND = flags.DEFINE_enum("kind", "samples", KINDS, "what to make: see ganlib.sampling")
STANDING = flags.DEFINE_bool("standing_statistics", False, "give batch norm the statistics of the generator's own images")
ALONG = 8
"""Images in a row of a path or a direction."""
FARTHEST = 3.0
"""How far a direction is followed."""


def main():
    import numpy as np

    from ganlib import UserError, plots, runs, sampling

    labels = None
    if LABELS.value:
        if not all(label.strip().isdigit() for label in LABELS.value):
            raise UserError(f"--labels={','.join(LABELS.value)} is not a list of class numbers, as in 3,7")
        labels = np.resize([int(label) for label in LABELS.value], COUNT.value)
    output = pathlib.Path(OUTPUT.value)
    _check(output)
    model = runs.load_gan(WORKDIR.value, best=BEST.value)
    if LIKE.value:
        labels = np.resize(_features_like(model), (COUNT.value, model.generator.instance_dim))
    if STANDING.value:
        sampling.standing_statistics(model)
    images = plots.to_uint8(_images(model, labels))
    _write(images, output)
    print(f"{len(images)} images: {output}")


def _check(output):
    """Raises `UserError` for an output that is none, or a folder that holds other files, which would be lost."""
    from ganlib import UserError

    if output.suffix not in ("", ".npz", ".png"):
        raise UserError(f"--output={output} is neither a .png, nor an .npz, nor a folder")
    if output.suffix == "" and output.exists():
        others = [path.name for path in output.iterdir() if not re.fullmatch(r"\d{6,}\.png", path.name)]
        if others:
            raise UserError(f"--output={output} holds {min(others)!r}, which is no image of this job: give a new folder")


def _write(images, output):
    """Writes uint8 images in the form that the output's name asks for, all of it or nothing."""
    import numpy as np

    from ganlib import plots
    from ganlib.files import folder_written_whole, written_whole

    if output.suffix == "":
        with folder_written_whole(output) as partial:
            for index, image in enumerate(images):
                plots.to_image(image).save(partial / f"{index:06d}.png")
        return
    with written_whole(output) as partial:
        if output.suffix == ".npz":
            np.savez_compressed(partial, images=images)
        else:
            columns = COLUMNS.value or (ALONG if KIND.value in ("interpolation", "directions") else None)
            plots.image_grid(images, columns).save(partial)


def _features_like(model):
    """``(n, F)`` features of the pictures that --like names."""
    from ganlib import UserError, data, runs
    from ganlib.metrics import instances

    run = runs.open_run(WORKDIR.value)
    if not run.instances:
        raise UserError(f"--like takes a GAN that is told instances, and {WORKDIR.value!r} is of another kind")
    if KIND.value != "samples":
        raise UserError(f"--like goes with --kind=samples, not with {KIND.value!r}")
    pictures = data.folders.pictures(LIKE.value, run.image_shape, run.config.background)
    extractor = instances.extractor_of(run, runs.open_data_of(run))
    return instances.features_of(extractor, pictures)


def _images(model, labels):
    """Images of the kind that was asked for; of paths and directions whole rows, about as many as were asked for."""
    import numpy as np

    from ganlib import UserError, sampling
    from ganlib.models.adversarial import latents_for

    count, seed, rows = COUNT.value, SEED.value, -(-COUNT.value // ALONG)
    if TRUNCATION.value and KIND.value != "samples":
        raise UserError(f"--truncation goes with --kind=samples, not with {KIND.value!r}")
    if KIND.value == "samples":
        return model.generate(count, labels, seed, TRUNCATION.value)
    if KIND.value == "interpolation":
        return sampling.interpolation(model, rows, ALONG, None if labels is None else labels[:rows], seed)
    if KIND.value == "directions":
        found = sampling.directions(model.ema_generator, rows)
        latents = latents_for(1, model.generator.latent_dim, seed)
        label = (labels[:1] if labels is not None else np.zeros(1, int)) if model.generator.num_classes else None
        amounts = np.linspace(-FARTHEST, FARTHEST, ALONG)
        return np.concatenate([sampling.moved(model, latents, direction, amounts, label) for direction in found])
    if KIND.value == "rejection":
        if labels is not None and len(set(labels)) > 1:
            raise UserError("--kind=rejection chooses among images of one class, or of all: give one label, or none")
        return sampling.rejection_sample(model, count, None if labels is None else labels[0], seed)[0]
    return sampling.langevin_sample(model, count, labels, seed)[0]


if __name__ == "__main__":
    job.start(main)
