"""Generates images with a trained run:
python -m experiments.generate --workdir=runs/digits --count=16 --seed=1 --output=grid.png

The output is a grid (.png), an .npz file with the key "images" (uint8, NHWC), or a folder of PNG files. A folder replaces the
images of an earlier call; a folder that contains anything else is an error. --kind selects other kinds of images:
"interpolation" has a path between two images in each row, "directions" follows one of the strongest directions of the latents
or styles in each row (stylegan2, biggan), "rejection" samples by rejection with the discriminator, and "langevin" moves latents
along the discriminator's gradient.

--walk=walk.gif writes moving pictures instead: images on closed paths through the latent space, or with --kind=directions along
the strongest direction. --progress=progress.gif shows the sample grids that were written during training.
"""

import pathlib
import re

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a trained run", required=True)
OUTPUT = flags.DEFINE_string("output", "generated.png", "a .png file for a grid, an .npz file, or a folder for PNG files")
COUNT = flags.DEFINE_integer("count", 64, "number of images", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "seed; image k depends only on the seed and k")
LIKE = flags.DEFINE_string(
    "like", None, "for instance-conditioned GANs: an image, or a folder of images, which are used in turn"
)
LABELS = flags.DEFINE_list("labels", None, "for conditional GANs: classes to generate in turn, as in 3,7")
BEST = flags.DEFINE_bool("best", False, "use the checkpoint with the lowest FID instead of the newest")
COLUMNS = flags.DEFINE_integer("columns", None, "images per row of the grid", lower_bound=1)
TRUNCATION = flags.DEFINE_float(
    "truncation",
    None,
    "largest absolute value of a latent, or, for generators with styles, the scale of a style around the average style; "
    "smaller values give less varied images",
)
KINDS = ["samples", "interpolation", "directions", "rejection", "langevin"]
KIND = flags.DEFINE_enum("kind", "samples", KINDS, "kind of images: see ganlib.sampling")
STANDING = flags.DEFINE_bool("standing_statistics", False, "recompute the batch norm statistics on generated images")
WALK = flags.DEFINE_string("walk", None, "a .gif, .webp or .mp4 file of a walk through the latent space, instead of --output")
PROGRESS = flags.DEFINE_string("progress", None, "the same of the sample grids of the run, instead of --output")
STOPS = flags.DEFINE_list(
    "stops", None, "for --walk: numbers of images of this --seed to visit, as in 0,5,12, instead of random ones"
)
FRAMES = flags.DEFINE_integer("frames", 96, "for --walk: number of frames", lower_bound=2)
RANDOM_STOPS = 4
"""The number of latents that each path of a walk visits without ``--stops``."""
PATHS = 16
"""The number of paths of a walk, side by side, without ``--count``."""
ALONG = 8
"""Images per row of a path or a direction."""
FARTHEST = 3.0
"""The distance to which a direction is followed, both ways."""


def main():
    import numpy as np

    from ganlib import plots, runs, sampling

    check_moving()
    if PROGRESS.value:
        print(f"{len(runs.moving.progress(WORKDIR.value, PROGRESS.value))} frames: {PROGRESS.value}")
        return
    labels = None
    if LABELS.value:
        labels = np.resize(_numbers(LABELS, "class numbers, as in 3,7"), COUNT.value)
    output = pathlib.Path(OUTPUT.value)
    if not WALK.value:
        _check(output)
    model = runs.load_gan(WORKDIR.value, best=BEST.value)
    if LIKE.value:
        labels = np.resize(_features_like(model), (COUNT.value, model.generator.instance_dim))
    if STANDING.value:
        sampling.standing_statistics(model)
    if WALK.value:
        frames = _frames(model, labels)
        plots.animation([plots.image_grid(images, COLUMNS.value) for images in frames], WALK.value)
        print(f"{len(frames)} frames: {WALK.value}")
        return
    images = plots.to_uint8(_images(model, labels))
    _write(images, output)
    print(f"{len(images)} images: {output}")


def _check(output):
    """Raises `UserError` for an invalid output, or a folder with other files, which would be lost."""
    from ganlib import UserError

    if output.suffix not in ("", ".npz", ".png"):
        raise UserError(f"--output={output} must be a .png file, an .npz file or a folder")
    if output.suffix == "" and output.exists():
        foreign_files = [path.name for path in output.iterdir() if not re.fullmatch(r"\d{6,}\.png", path.name)]
        if foreign_files:
            raise UserError(f"--output={output} holds {min(foreign_files)!r}, which this job did not write: pass a new folder")


def _write(images, output):
    """Writes uint8 images atomically, in the format that the name of the output implies."""
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


def _numbers(flag, expected):
    """Returns the integers of a list flag, or raises `UserError` with what was expected."""
    from ganlib import UserError

    if not all(text.strip().isdigit() for text in flag.value):
        raise UserError(f"--{flag.name}={','.join(flag.value)} is not a list of {expected}")
    return [int(text) for text in flag.value]


def check_moving():
    """Raises `UserError` if flags do not fit those of moving pictures."""
    from ganlib import UserError

    if WALK.value and PROGRESS.value:
        raise UserError("--walk and --progress are two files: pass one of them at a time")
    moving = "--walk" if WALK.value else "--progress"
    for flag in (STOPS, FRAMES):
        if flag.present and not WALK.value:
            raise UserError(f"--{flag.name} requires --walk")
    if (WALK.value or PROGRESS.value) and OUTPUT.present:
        raise UserError(f"{moving} names the file: omit --output")
    unused = (TRUNCATION, COUNT) if STOPS.value else (TRUNCATION,) if WALK.value else ()
    if PROGRESS.value:
        unused = (TRUNCATION, COUNT, LABELS, LIKE, BEST, COLUMNS, STANDING, KIND, SEED)
    for flag in unused:
        if flag.present:
            raise UserError(f"--{flag.name} has no effect on {'--stops' if STOPS.value else moving}: omit it")
    if WALK.value and KIND.value not in ("samples", "directions"):
        raise UserError(f"--walk requires --kind=samples or directions, got {KIND.value!r}")


def _frames(model, labels):
    """Generates the frames of a walk: ``(frames, paths, height, width, channels)``."""
    import numpy as np

    from ganlib import sampling
    from ganlib.training.latents import latents_for

    latent_dim, count = model.generator.latent_dim, COUNT.value if COUNT.present else PATHS
    if STOPS.value:
        numbers = _numbers(STOPS, "image numbers, as in 0,5,12")
        stops = latents_for(max(numbers) + 1, latent_dim, SEED.value)[numbers][None]
    else:
        stops = latents_for(count * RANDOM_STOPS, latent_dim, SEED.value).reshape(count, RANDOM_STOPS, latent_dim)
    labels = None if labels is None else labels[: len(stops)]
    if KIND.value == "samples":
        return sampling.loop(model, stops, FRAMES.value, labels)
    direction = sampling.directions(model.ema_generator, 1)[0]
    amounts = FARTHEST * np.sin(2.0 * np.pi * np.arange(FRAMES.value) / FRAMES.value)
    images = sampling.moved(model, stops[:, 0], direction, amounts, model.labels_for(len(stops), labels))
    return np.swapaxes(images.reshape(len(stops), FRAMES.value, *images.shape[1:]), 0, 1)


def _features_like(model):
    """Returns the ``(n, F)`` features of the images in --like."""
    from ganlib import UserError, data, runs
    from ganlib.metrics import instances

    run = runs.open_run(WORKDIR.value)
    if not run.instances:
        raise UserError(
            f"--like requires an instance-conditioned GAN, and {WORKDIR.value!r} holds none: pass another --workdir"
        )
    if KIND.value != "samples":
        raise UserError(f"--like requires --kind=samples, got {KIND.value!r}")
    pictures = data.folders.pictures(LIKE.value, run.image_shape, run.config.background, run.config.get("fit", "crop"))
    extractor = instances.extractor_of(run, runs.open_data_of(run))
    return instances.features_of(extractor, pictures)


def _images(model, labels):
    """Generates images of the requested kind. For paths and directions --count is rounded up to complete rows."""
    import numpy as np

    from ganlib import UserError, sampling
    from ganlib.training.latents import latents_for

    count, seed, rows = COUNT.value, SEED.value, -(-COUNT.value // ALONG)
    if TRUNCATION.value and KIND.value != "samples":
        raise UserError(f"--truncation requires --kind=samples, got {KIND.value!r}")
    if KIND.value == "samples":
        return model.generate(count, labels, seed, TRUNCATION.value)
    if KIND.value == "interpolation":
        return sampling.interpolation(model, rows, ALONG, None if labels is None else labels[:rows], seed)
    if KIND.value == "directions":
        directions = sampling.directions(model.ema_generator, rows)
        latents = latents_for(1, model.generator.latent_dim, seed)
        label = (labels[:1] if labels is not None else np.zeros(1, int)) if model.generator.num_classes else None
        amounts = np.linspace(-FARTHEST, FARTHEST, ALONG)
        return np.concatenate([sampling.moved(model, latents, direction, amounts, label) for direction in directions])
    if KIND.value == "rejection":
        if labels is not None and len(set(labels)) > 1:
            raise UserError("--kind=rejection samples from one class or from all classes: pass one label or none")
        return sampling.rejection_sample(model, count, None if labels is None else labels[0], seed)[0]
    return sampling.langevin_sample(model, count, labels, seed)[0]


if __name__ == "__main__":
    job.start(main)
