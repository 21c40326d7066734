"""Pixels of a photo, and the same transformations by Pillow."""

import functools

import numpy as np
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from sklearn.datasets import load_sample_image

KERNELS = (Image.LANCZOS, Image.BICUBIC, Image.BILINEAR, Image.BOX, Image.HAMMING, Image.NEAREST)


@functools.cache
def photo():
    return load_sample_image("china.jpg")


def crops(count, height=32, width=32, gray=False):
    """Returns ``(count, height, width, 3 or 1)`` uint8 parts of a photo, reduced by 1 to 5."""
    rng, images = np.random.default_rng(0), []
    for _ in range(count):
        factor = rng.integers(1, 6)
        y, x = rng.integers(0, 428 - height * factor), rng.integers(0, 641 - width * factor)
        image = Image.fromarray(photo()[y : y + height * factor, x : x + width * factor]).resize(
            (width, height), Image.BILINEAR
        )
        images.append(np.atleast_3d(np.asarray(image.convert("L") if gray else image)))
    return np.stack(images)


def image_of(pixels):
    """Returns ``(height, width, 1 or 3)`` uint8 pixels as a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _enhanced(kind):
    return lambda image, factor: kind(image).enhance(factor)


def _blend(change):
    return lambda image, share: Image.blend(image, change(image), share)


def _affine(matrix):
    return lambda image, value: image.transform(image.size, Image.AFFINE, matrix(value))


BY_PILLOW = {
    "autocontrast": _blend(ImageOps.autocontrast),
    "equalize": _blend(ImageOps.equalize),
    "invert": _blend(ImageOps.invert),
    "smooth": _blend(lambda image: image.filter(ImageFilter.SMOOTH)),
    "blur": _blend(lambda image: image.filter(ImageFilter.BLUR)),
    "brightness": _enhanced(ImageEnhance.Brightness),
    "contrast": _enhanced(ImageEnhance.Contrast),
    "color": _enhanced(ImageEnhance.Color),
    "sharpness": _enhanced(ImageEnhance.Sharpness),
    "posterize": lambda image, bits: ImageOps.posterize(image, int(bits)),
    "solarize": lambda image, threshold: ImageOps.solarize(image, int(threshold)),
    "rotate": lambda image, degrees: image.rotate(degrees),
    "shear_x": _affine(lambda value: (1, value, 0, 0, 1, 0)),
    "shear_y": _affine(lambda value: (1, 0, 0, value, 1, 0)),
    "translate_x": _affine(lambda value: (1, 0, value, 0, 1, 0)),
    "translate_y": _affine(lambda value: (1, 0, 0, 0, 1, value)),
}
"""Name -> function of a Pillow image and a setting of `ganlib.augment.transformations.transformed`."""


def rescale(image, share, kernel):
    """Crops a Pillow image by a share at each side and resizes it to its size."""
    width, height = image.size
    box = share * width, share * height, width * (1 - share), height * (1 - share)
    return image.crop(box).resize(image.size, KERNELS[kernel])


def each(function, pixels, *settings):
    """Applies a function of a Pillow image and settings to each of ``(n, height, width, channels)`` uint8 pixels."""
    results = [function(image_of(one), *values) for one, *values in zip(pixels, *settings, strict=True)]
    return np.stack([np.asarray(result) for result in results]).reshape(pixels.shape).astype(np.float32)


def in_a_graph(function, pixels, *settings):
    """Calls a function of float32 pixels and settings in a graph, in which TensorFlow divides otherwise than eagerly."""
    return tf.function(function, autograph=False)(tf.constant(pixels, tf.float32), *settings).numpy()
