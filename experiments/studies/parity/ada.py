"""The augmentation of StyleGAN2-ADA: every transformation alone, all together, their matrices, filters and gradient.

The authors' code can replace each random number by a quantile. Here a stand-in for the random stream returns these numbers.
"""

import numpy as np
import scipy.special
import tensorflow as tf

from experiments.studies.parity import comparison
from ganlib import augment
from ganlib.augment import ada, filters, geometry

FILES = ("ada",)

DRAWS = {
    "blit": "xflip:uniform xflip:gate rotate90:uniform rotate90:gate xint:uniform xint:uniform xint:gate",
    "geometric": "scale:normal scale:gate rotate:gate rotate:uniform aniso:normal aniso:gate rotate_after:gate "
    "rotate_after:uniform xfrac:normal xfrac:normal xfrac:gate",
    "color": "brightness:normal brightness:gate contrast:normal contrast:gate lumaflip:uniform lumaflip:gate hue:uniform "
    "hue:gate saturation:normal saturation:gate",
    "filter": " ".join(["imgfilter:normal imgfilter:gate"] * 4),
    "noise": "noise:deviation noise:gate noise:image",
    "cutout": "cutout:gate cutout:uniform",
}
"""Category -> the draws in ganlib's order, each the name of the authors' transformation and what is drawn."""

RANDOM = (
    "xflip", "rotate90", "xint", "scale", "rotate", "aniso", "rotate_after", "xfrac", "brightness", "contrast", "lumaflip",
    "hue", "saturation",
)  # fmt: skip
"""The transformations in the order of the authors' draws; each draws a value and then decides whether to apply it."""

APPLIED, LEFT_OUT = 0.0, 1.0  # draws that are below and not below a probability of 1
BGC = "blit,geometric,color"


class Draws:
    """A stand-in for a `ganlib.training.RandomStream` that returns given numbers, one draw after the other."""

    def __init__(self, values):
        self._values = list(values)

    def uniform(self, shape, low=0.0, high=1.0):
        return low + (high - low) * self.normal(shape)

    def normal(self, shape):
        value = tf.cast(self._values.pop(0), tf.float32)
        return tf.fill(shape, value) if value.shape.rank == 0 else tf.reshape(value, shape)


def differences(file):
    """Returns the differences by family."""
    result = {"filters": _filters(file)}
    for group, images in (("out", file.images("in/images")), ("out_rect", file.images("in/images_rect"))):
        families = sorted({key.split("/")[0] for key in file.group(f"{group}/")} - {"random", "bgc_G_inv", "bgc_C"})
        for name in families:
            values = [_transformed(file, group, name, quantile, images) for quantile in file.meta["percentiles"]]
            result[f"{name}{' of a rectangle' if group == 'out_rect' else ''}"] = max(values)
    result["matrices"] = max(_matrices(file, quantile) for quantile in file.meta["percentiles"])
    return result | _random(file) | {"gradient by images": _gradient(file)}


def _filters(file):
    taps = np.array(filters.SYM6) / sum(filters.SYM6)
    return max(
        comparison.difference(taps, file["state/Hz_geom"]),
        comparison.difference(filters.band_taps(), file["state/Hz_fbank"]),
    )


def _quantiles(file, categories, active, quantile):
    """Returns the draws of some categories, of which only the ``active`` transformations are applied."""
    normal = scipy.special.erfinv(2.0 * quantile - 1.0)
    values = {"uniform": quantile, "normal": normal, "deviation": scipy.special.erfinv(quantile)}
    values["image"] = comparison.channels_last(file["in/noise"])
    draws = (draw.split(":") for category in categories.split(",") for draw in DRAWS[category].split())
    for name, kind in draws:
        is_active = active is None or name in active
        yield values[kind] if kind != "gate" else APPLIED if is_active and name != "rotate_after" else LEFT_OUT


def _transformed(file, group, name, quantile, images):
    """Compares one transformation, or all of `BGC`, at one quantile."""
    if name == "bgc":
        categories, active = BGC, None
    else:
        categories = next(category for category, draws in DRAWS.items() if f"{name}:gate" in draws.split())
        active = {name}
    result = augment.ADA(categories, probability=1.0)(images, Draws(_quantiles(file, categories, active, quantile)))
    return comparison.difference(result, file.images(f"{group}/{name}/q{quantile}"))


def _matrices(file, quantile):
    size = file.images("in/images").shape[1:3]
    maps = geometry.inverse_maps(
        size, 1, Draws(_quantiles(file, "blit,geometric", None, quantile)), {"blit": 1.0, "geometric": 1.0}
    )
    colors = ada.color_maps(1, 3, Draws(_quantiles(file, "color", None, quantile)), 1.0)
    return max(
        comparison.difference(maps[0], file[f"out/bgc_G_inv/q{quantile}"][:2]),
        comparison.difference(colors[0], file[f"out/bgc_C/q{quantile}"][:3]),
    )


def _random(file):
    """Compares all transformations with the authors' random draws, another one for each image."""
    draws = [value for key, value in sorted(file.group("out/random/draw").items())]
    values = {name: {"gate": draws[2 * k + 1]} for k, name in enumerate(RANDOM)}
    for k, name in enumerate(RANDOM):  # shifts have the horizontal one first, and ganlib draws the vertical one first
        value = draws[2 * k]
        values[name] |= dict.fromkeys(("uniform", "normal"), [value[:, 1], value[:, 0]] if value.ndim == 2 else [value])

    def stream(categories):
        used = {}
        for draw in (draw for category in categories.split(",") for draw in DRAWS[category].split()):
            name, kind = draw.split(":")
            if kind == "gate":
                yield values[name]["gate"]
            else:
                yield values[name][kind][used.get(name, 0)]
                used[name] = used.get(name, 0) + 1

    images, probability = file.images("in/images"), file.meta["random_p"]
    count, size = len(images), images.shape[1:3]
    result = augment.ADA(BGC, probability)(images, Draws(stream(BGC)))
    probabilities = {"blit": probability, "geometric": probability}
    maps = geometry.inverse_maps(size, count, Draws(stream("blit,geometric")), probabilities)
    colors = ada.color_maps(count, 3, Draws(stream("color")), probability)
    return {
        "random bgc": comparison.difference(result, file.images("out/random/images")),
        "random matrices": max(
            comparison.difference(maps, file["out/random/G_inv"][:, :2]),
            comparison.difference(colors, file["out/random/C"][:, :3]),
        ),
    }


def _gradient(file):
    quantile, images = file.meta["gradient_percentile"], tf.constant(file.images("in/images"))
    with tf.GradientTape() as tape:
        tape.watch(images)
        result = augment.ADA(BGC, probability=1.0)(images, Draws(_quantiles(file, BGC, None, quantile)))
        value = tf.reduce_sum(result * file.images("in/cotangent"))
    return comparison.difference(tape.gradient(value, images), file.images(f"grad_images/bgc/q{quantile}"))
