"""Moving pictures of a run, for its report."""

import math

import numpy as np
from PIL import Image

from ganlib import plots, sampling
from ganlib.errors import UserError
from ganlib.runs import report
from ganlib.training.latents import latents_for

WALK = "walk.webp"
"""The file of ``samples/`` with a walk through the latent space."""
PROGRESS = "progress.webp"
"""The file of ``samples/`` with the grids of the training."""
SHOWN = 96
"""The largest number of grids that are shown."""
SIDE = 640
"""The largest side of a frame in pixels."""
WALK_FRAMES, STOPS = 36, 3
WALK_BYTES = 1 << 28
"""The largest size of the images of a walk."""
SECONDS = 8
"""The time in which all grids of a training are shown."""


def write(run, model):
    """Writes `WALK` and, if there are several grids, `PROGRESS` to the folder of sample grids of a run.

    Args:
        run: A `ganlib.runs.Run`.
        model: Its trained `ganlib.GAN`.
    """
    generator = model.generator
    paths = min(max(WALK_BYTES // (4 * WALK_FRAMES * math.prod(generator.image_shape)), 1), 8)
    stops = latents_for(paths * STOPS, generator.latent_dim, seed=0).reshape(paths, STOPS, -1)
    frames = sampling.loop(model, stops, WALK_FRAMES)
    if run.is_chief:
        plots.animation([_small(plots.image_grid(images, columns=4)) for images in frames], run.samples / WALK)
        if len(report.grids_of(run.folder)) > 1:
            progress(run.folder, run.samples / PROGRESS)


def progress(workdir, path):
    """Writes the sample grids of a run as moving pictures, which stop at the last one for a second. Of more than 96 grids, as
    many are shown, spread over the training.

    Args:
        workdir: The folder of the run.
        path: The file to write, as in `ganlib.plots.animation`.

    Returns:
        The list of the files of the grids that are shown.

    Raises:
        UserError: If the run has no grids.
    """
    files = report.grids_of(workdir)
    if not files:
        raise UserError(f"{str(workdir)!r} has no sample grids: train a GAN there with --config.sample_every=100")
    files = [files[index] for index in np.unique(np.linspace(0, len(files) - 1, SHOWN).round().astype(int))]
    frames = []
    for file in files:
        with Image.open(file) as grid:
            frames.append(_small(grid))
    frames = [frame for frame in frames if frame.size == frames[-1].size]  # the number of images may have been changed
    rate = min(max(len(frames) / SECONDS, 2.0), 12.0)
    plots.animation(frames + frames[-1:] * round(rate), path, rate)
    return files


def _small(frame):
    """Returns a picture with sides of at most `SIDE` pixels."""
    frame = frame.copy()
    frame.thumbnail((SIDE, SIDE))
    return frame
