"""Pictures: grids of images, training curves, confusion matrices. They open no window."""

import logging
import math
import textwrap

import matplotlib.figure
import numpy as np
from PIL import Image

from ganlib.errors import UserError

OUT_OF_RANGE = 1.5
"""A generator may overshoot [-1, 1] by less than this; where most values lie beyond it, the images are of another range."""

MIN_GRID_PIXELS = 28
"""Images smaller than this are shown enlarged by a whole factor, without smoothing."""

MAX_CLASS_COLUMNS = 16
"""Up to so many classes, a grid of samples shows one class a column."""

CAPTION_LETTERS = 18
"""As many letters of usual width fit above an image of a captioned grid."""

_log = logging.getLogger("ganlib")


def to_uint8(images):
    """``(n, height, width, channels)`` float images in ``[-1, 1]`` -> uint8 in ``[0, 255]``, rounded; uint8 passes unchanged.

    Values a little out of range are clipped. Where more than half of them lie beyond ±1.5, a warning says so.

    Raises:
        UserError: if some images hold a value that is not finite, or for integers other than uint8.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    images = _as_float(images)
    bad = _not_finite(images)
    if bad.any():
        raise UserError(f"{_counted(bad)} not finite: the network has diverged; take an earlier checkpoint")
    if images.size and np.mean(np.abs(images) > OUT_OF_RANGE) > 0.5:
        _log.warning("images reach from %.3g to %.3g where [-1, 1] is expected; they are clipped", images.min(), images.max())
    return _rounded(images)


def drawable(images):
    """`to_uint8` of ``(n, height, width, channels)`` for pictures, where nothing may stop a training.

    An image that is not finite becomes a white cross on black, and a warning says how many do.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    images = _as_float(images)
    bad = _not_finite(images)
    if bad.any():
        _log.warning("%s not finite and drawn as a cross: the network has diverged", _counted(bad))
        rows, columns = np.mgrid[: images.shape[1], : images.shape[2]] / (np.array(images.shape[1:3]) - 1)[:, None, None]
        near = 0.5 / max(images.shape[1:3])
        cross = (np.abs(rows - columns) <= near) | (np.abs(rows + columns - 1) <= near)
        images = np.where(bad[:, None, None, None], np.where(cross, 1.0, -1.0)[..., None], images)
    return _rounded(images)


def _as_float(images):
    if images.dtype.kind in "biu":
        raise UserError(f"images must be uint8 in [0, 255] or floats in [-1, 1], got {images.dtype}: convert them")
    return images.astype(np.float32)


def _rounded(images):
    return np.clip(np.round((images + 1.0) * 127.5), 0, 255).astype(np.uint8)


def _not_finite(images):
    """``(n,)`` booleans: which images hold a value that is not finite."""
    return ~np.isfinite(images).all(axis=tuple(range(1, images.ndim)))


def _counted(bad):
    return f"{bad.sum()} of {len(bad)} images {'is' if bad.sum() == 1 else 'are'}"


def to_image(image):
    """``(height, width, channels)``, uint8 or float in ``[-1, 1]``, of 1 or 3 channels -> a `PIL.Image.Image`."""
    image = to_uint8(np.asarray(image)[None])[0]
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def image_grid(images, columns=None, gap=2):
    """Lays images out in rows on white; one that is not finite is shown as `drawable` does.

    Args:
        images: ``(n, height, width, channels)``, uint8 or float in ``[-1, 1]``; 1 or 3 channels.
        columns: images in a row; None makes the grid about square.
        gap: white pixels between images.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        UserError: without images.
    """
    images = drawable(images)
    if len(images) == 0:
        raise UserError("a grid needs at least one image, got none")
    factor = max(1, math.ceil(MIN_GRID_PIXELS / images.shape[1]))
    images = images.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, channels = images.shape
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = gap + index // columns * (height + gap), gap + index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return to_image(canvas)


def sample_grid(model, rows=8, seed=0):
    """A grid of generated images; where the model has up to `MAX_CLASS_COLUMNS` classes, each column holds one.

    Args:
        model: a `ganlib.GAN`.
        rows: of the grid; without such classes it has as many columns.
        seed: of the latents.
    """
    num_classes = model.generator.num_classes
    columns = num_classes if num_classes and num_classes <= MAX_CLASS_COLUMNS else rows
    return image_grid(model.generate(rows * columns, seed=seed), columns)


def interpolate(start, end, count):
    """``count`` latents on the arc from ``start`` to ``end`` (spherical interpolation, White 2016, arXiv:1609.04468).

    Args:
        start: ``(latent_dim,)`` float.
        end: ``(latent_dim,)`` float.
        count: how many, the ends included.

    Returns:
        ``(count, latent_dim)`` float32.
    """
    cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    t = np.linspace(0.0, 1.0, count)[:, None]
    if angle < 1e-6:
        return ((1 - t) * start + t * end).astype(np.float32)
    return ((np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)).astype(np.float32)


def interpolation_grid(model, rows=6, columns=10, seed=0):
    """A picture whose rows lead from one generated image to another, each row in one class if the model has classes.

    Args:
        model: a `ganlib.GAN`.
        rows: how many pairs of images.
        columns: images in a row.
        seed: of the pairs' latents.
    """
    rng = np.random.default_rng(seed)
    ends = rng.standard_normal((rows, 2, model.generator.latent_dim)).astype(np.float32)
    latents = np.concatenate([interpolate(start, end, columns) for start, end in ends])
    labels = model.generator.labels_for(rows)
    return image_grid(model.generate_from(latents, None if labels is None else np.repeat(labels, columns, axis=0)), columns)


def curves(rows, groups):
    """Training curves from the rows of a ``metrics.jsonl``.

    Args:
        rows: dicts with ``step`` and numbers.
        groups: a list of ``(title, {key: label})``, each drawn as one panel; panels without data are left out.

    Returns:
        A `matplotlib.figure.Figure`, or None when there is nothing to draw.
    """
    groups = [(title, {k: v for k, v in keys.items() if any(k in row for row in rows)}) for title, keys in groups]
    groups = [(title, keys) for title, keys in groups if keys]
    if not groups:
        return None
    figure = matplotlib.figure.Figure(figsize=(4.4 * len(groups), 3.0), layout="constrained")
    for axes, (title, keys) in zip(figure.subplots(1, len(groups), squeeze=False)[0], groups, strict=True):
        for key, label in keys.items():
            points = [(row["step"], row[key]) for row in rows if key in row]
            axes.plot(*zip(*points, strict=True), label=label, linewidth=1.4, marker="." if len(points) < 30 else None)
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.3)
        if len(keys) > 1:
            axes.legend(frameon=False)
    return figure


def captioned_grid(images, captions, columns=8):
    """A picture of images with a text above each.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        captions: ``n`` strings; lines too long for their column are broken.
        columns: images in a row.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = matplotlib.figure.Figure(figsize=(1.25 * columns, 1.6 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, caption in zip(figure.axes, images, captions, strict=False):
        lines = [part for line in caption.split("\n") for part in textwrap.wrap(line, CAPTION_LETTERS)]
        axes.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
        axes.set_title("\n".join(lines), fontsize=8)
    return figure


def confusion_matrix(matrix, class_names):
    """Draws ``(num_classes, num_classes)`` counts, rows the true classes and columns the predicted ones."""
    count = len(matrix)
    side = max(3.2, 0.42 * count + 1.2)
    figure = matplotlib.figure.Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(count)
    turned = 90 if max(map(len, class_names)) > 2 else 0
    axes.set_xticks(ticks, class_names, rotation=turned)
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="predicted", ylabel="true")
    if count <= 20:
        for row, column in np.ndindex(matrix.shape):
            if matrix[row, column]:
                shade = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, int(matrix[row, column]), ha="center", va="center", color=shade, fontsize=8)
    return figure
