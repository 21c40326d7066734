"""Figures: grids of images, training curves, confusion matrices. They are returned, not displayed."""

import logging
import math
import pathlib
import textwrap

import matplotlib.figure
import numpy as np
from PIL import Image

from ganlib.errors import UserError
from ganlib.files import written_whole

ANIMATIONS = (".gif", ".webp", ".mp4")
"""The endings of the files that `animation` writes."""

PANEL_COLUMNS = 3
"""The number of curves side by side."""

OUT_OF_RANGE = 1.5
"""A generator may exceed [-1, 1] up to this value. If most values are beyond it, the images have another range."""

MIN_GRID_PIXELS = 28
"""Smaller images are enlarged by an integer factor, without smoothing."""

MAX_CLASS_COLUMNS = 16
"""The maximum number of classes up to which a grid of samples shows one class per column."""

CAPTION_LETTERS = 18
"""The number of letters of average width that fit above an image of a captioned grid."""

_log = logging.getLogger("ganlib")


def to_uint8(images):
    """Converts ``(n, height, width, channels)`` float images in ``[-1, 1]`` to uint8 in ``[0, 255]``, rounded; uint8 images are
    returned unchanged.

    Values outside the range are clipped. A warning is logged if more than half of them are beyond ±1.5.

    Raises:
        UserError: If images have values that are not finite, or an integer dtype other than uint8.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    images = _as_float(images)
    low, high = (images.min(), images.max()) if images.size else (0.0, 0.0)  # not finite if any value is not
    if not np.isfinite([low, high]).all():
        message = f"{_describe_count(_not_finite(images))} not finite: the network has diverged; use an earlier checkpoint"
        raise UserError(message)
    if max(-low, high) > OUT_OF_RANGE and np.mean(np.abs(images) > OUT_OF_RANGE) > 0.5:
        _log.warning("images have values from %.3g to %.3g instead of [-1, 1]; they are clipped", low, high)
    return _quantize(images)


def drawable(images):
    """Converts ``(n, height, width, channels)`` images for figures like `to_uint8`, without interrupting training.

    An image with values that are not finite becomes a white cross on black, and a warning with their number is logged.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    images = _as_float(images)
    invalid = _not_finite(images)
    if invalid.any():
        _log.warning("%s not finite and drawn as a cross: the network has diverged", _describe_count(invalid))
        rows, columns = np.mgrid[: images.shape[1], : images.shape[2]] / (np.array(images.shape[1:3]) - 1)[:, None, None]
        half_width = 0.5 / max(images.shape[1:3])
        cross = (np.abs(rows - columns) <= half_width) | (np.abs(rows + columns - 1) <= half_width)
        images = np.where(invalid[:, None, None, None], np.where(cross, 1.0, -1.0)[..., None], images)
    return _quantize(images)


def _as_float(images):
    if images.dtype.kind in "biu":
        raise UserError(f"images must be uint8 in [0, 255] or floats in [-1, 1], got {images.dtype}: convert them")
    return images.astype(np.float32, copy=False)


def _quantize(images):
    values = images + 1.0
    values *= 127.5  # in place: new arrays would take longer than the arithmetic
    np.round(values, out=values)
    np.clip(values, 0, 255, out=values)
    return values.astype(np.uint8)


def _not_finite(images):
    """Returns ``(n,)`` booleans: True for images with a value that is not finite."""
    return ~np.isfinite(images).all(axis=tuple(range(1, images.ndim)))


def _describe_count(invalid):
    return f"{invalid.sum()} of {len(invalid)} images {'is' if invalid.sum() == 1 else 'are'}"


def to_image(image):
    """Converts ``(height, width, channels)``, uint8 or float in ``[-1, 1]``, with 1 or 3 channels, to a `PIL.Image.Image`."""
    image = to_uint8(np.asarray(image)[None])[0]
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def image_grid(images, columns=None, gap=2):
    """Arranges images in rows on white. Images that are not finite are shown as in `drawable`.

    Args:
        images: ``(n, height, width, channels)``, uint8 or float in ``[-1, 1]``; 1 or 3 channels.
        columns: The number of images in a row; None makes the grid roughly square. Defaults to None.
        gap: The number of white pixels between images. Defaults to 2.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        UserError: If there are no images.
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
    """Draws a grid of generated images. If the model has at most `MAX_CLASS_COLUMNS` classes, each column shows one class.

    Args:
        model: A `ganlib.GAN`.
        rows: The number of rows, and of columns if they do not show classes. Defaults to 8.
        seed: The seed of the latents. Defaults to 0.
    """
    num_classes = model.generator.num_classes
    columns = num_classes if num_classes and num_classes <= MAX_CLASS_COLUMNS else rows
    return image_grid(model.generate(rows * columns, seed=seed), columns)


def interpolate(start, end, count):
    """Returns ``count`` latents on the arc from ``start`` to ``end`` (spherical interpolation, White 2016, arXiv:1609.04468).

    Args:
        start: ``(latent_dim,)`` float.
        end: ``(latent_dim,)`` float.
        count: The number of latents, including both ends.

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
    """Draws a grid whose rows interpolate between two generated images, each row of one class if the model has classes.

    Args:
        model: A `ganlib.GAN`.
        rows: The number of pairs of images. Defaults to 6.
        columns: The number of images in a row. Defaults to 10.
        seed: The seed of the latents. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    ends = rng.standard_normal((rows, 2, model.generator.latent_dim)).astype(np.float32)
    latents = np.concatenate([interpolate(start, end, columns) for start, end in ends])
    labels = model.generator.labels_for(rows)
    return image_grid(model.generate_from(latents, None if labels is None else np.repeat(labels, columns, axis=0)), columns)


def curves(rows, groups):
    """Draws training curves from the rows of a ``metrics.jsonl``.

    Args:
        rows: Dicts with ``step`` and numbers.
        groups: A list of ``(title, {key: label})``, each drawn as one panel; panels without data are omitted.

    Returns:
        A `matplotlib.figure.Figure`, or None if there is nothing to draw.
    """
    return _panels([(title, [(label, key, rows) for key, label in keys.items()]) for title, keys in groups])


def curves_of_runs(runs, groups):
    """Draws the training curves of several runs over each other.

    Args:
        runs: A dict from the name of each run to the rows of its ``metrics.jsonl``, dicts with ``step`` and numbers.
        groups: As for `curves`. Each key is drawn as one panel with a line for each run; those without data are omitted.

    Returns:
        A `matplotlib.figure.Figure`, or None if there is nothing to draw.
    """
    panels = []
    for title, keys in groups:
        for key, label in keys.items():
            heading = title if label == title or len(keys) == 1 else f"{title}: {label}"
            panels.append((heading, [(name, key, rows) for name, rows in runs.items()]))
    return _panels(panels)


def _panels(panels):
    """Draws panels ``(title, [(label, key, rows), ...])``, without those that have no data. Returns a figure or None."""
    drawn = []
    for title, lines in panels:
        points = [(label, [(row["step"], row[key]) for row in rows if row.get(key) is not None]) for label, key, rows in lines]
        if any(values for _, values in points):
            drawn.append((title, [(label, values) for label, values in points if values]))
    if not drawn:
        return None
    columns = min(len(drawn), PANEL_COLUMNS)
    rows = -(-len(drawn) // columns)
    figure = matplotlib.figure.Figure(figsize=(4.4 * columns, 3.0 * rows), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in grid[len(drawn) :]:
        axes.remove()
    for axes, (title, lines) in zip(grid, drawn, strict=False):
        for label, values in lines:
            axes.plot(*zip(*values, strict=True), label=label, linewidth=1.4, marker="." if len(values) < 30 else None)
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.3)
        if len(lines) > 1:
            axes.legend(frameon=False)
    return figure


def animation(frames, path, frames_per_second=12):
    """Writes moving pictures, which are repeated endlessly in GIF and WebP files.

    Args:
        frames: A list of `PIL.Image.Image` of one size, such as grids from `image_grid`.
        path: The file to write: its ending ``.gif``, ``.webp`` or ``.mp4`` determines the format. GIF files have 256 colors.
        frames_per_second: The number of frames shown in a second. Defaults to 12.

    Returns:
        The path, as `pathlib.Path`.

    Raises:
        UserError: If there are no frames, they differ in size, the format is unknown, or the package for ``.mp4`` is missing.

    Examples:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from ganlib import plots
        >>> frames = [plots.image_grid(np.full((4, 8, 8, 1), value, np.uint8)) for value in (0, 255)]
        >>> plots.animation(frames, pathlib.Path(tempfile.mkdtemp()) / "blink.gif").name
        'blink.gif'
    """
    path, sizes = pathlib.Path(path), sorted({frame.size for frame in frames})
    if path.suffix not in ANIMATIONS:
        raise UserError(f"{str(path)!r} must end in {', '.join(ANIMATIONS)}")
    if len(sizes) != 1:
        raise UserError(f"moving pictures need frames of one size, got {len(frames)} frames of the sizes {sizes}")
    with written_whole(path) as partial:
        if path.suffix == ".mp4":
            _write_mp4(frames, partial, frames_per_second)
        else:
            settings = {"save_all": True, "append_images": frames[1:], "loop": 0, "duration": round(1000 / frames_per_second)}
            frames[0].save(partial, **settings, **({"quality": 80} if path.suffix == ".webp" else {}))
    return path


def _write_mp4(frames, path, frames_per_second):
    try:
        import imageio_ffmpeg
    except ImportError:
        message = "moving pictures in .mp4 files need imageio-ffmpeg: pip install -e '.[video]', or write a .gif or .webp file"
        raise UserError(message) from None
    width, height = (side + side % 2 for side in frames[0].size)  # H.264 needs even sides
    writer = imageio_ffmpeg.write_frames(str(path), (width, height), fps=frames_per_second, macro_block_size=1, quality=8)
    writer.send(None)
    for frame in frames:
        canvas = Image.new("RGB", (width, height), "white")
        canvas.paste(frame)
        writer.send(np.asarray(canvas).tobytes())
    writer.close()


def captioned_grid(images, captions, columns=8):
    """Draws images, each with a caption above it.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        captions: ``n`` strings; long lines are wrapped to the width of the column.
        columns: The number of images in a row. Defaults to 8.

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
    """Draws ``(num_classes, num_classes)`` counts; rows are the true classes, columns the predicted ones."""
    count = len(matrix)
    side = max(3.2, 0.42 * count + 1.2)
    figure = matplotlib.figure.Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(count)
    rotation = 90 if max(map(len, class_names)) > 2 else 0
    axes.set_xticks(ticks, class_names, rotation=rotation)
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="predicted", ylabel="true")
    if count <= 20:
        for row, column in np.ndindex(matrix.shape):
            if matrix[row, column]:
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, int(matrix[row, column]), ha="center", va="center", color=color, fontsize=8)
    return figure
