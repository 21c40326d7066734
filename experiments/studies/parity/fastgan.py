"""FastGAN's generator in Projected GAN's code: feature maps, images, losses, all gradients and all buffers."""

import numpy as np
import tensorflow as tf

from experiments.studies.parity import comparison
from ganlib import interop

FILES = ("fastgan", "fastgan_cond")
CODE = "fastgan"


def differences(file):
    """Returns the differences by family, in evaluation and in training."""
    state = file.group("state/G/")
    names = comparison.Names(CODE, "generator", state)
    return {
        f"{run}: {family}": value for run in ("eval", "train") for family, value in _of_run(file, run, state, names).items()
    }


def _of_run(file, run, state, names):
    generator = interop.generator(CODE, state)
    labels = [tf.argmax(file["in/c"], axis=1)] if "in/c" in file else []
    noise = [tf.constant(maps) for maps in _noise(file)]
    with tf.GradientTape() as tape:
        *maps, images = generator.synthesize(file["in/z"], *labels, training=run == "train", noise=noise)
        loss = tf.reduce_mean(images * file.images("in/w"))
    gradients = comparison.gradients_of(tape, loss, generator)
    feature_maps = [file.images(f"out/{run}/{name}") for name in ("init", "feat_8", "feat_16")]
    result = {
        "feature maps": max(comparison.difference(x, y) for x, y in zip(maps, feature_maps, strict=False)),
        "images": comparison.difference(images, file.images(f"out/{run}/G")),
        "losses": comparison.difference(loss, file[f"out/{run}/loss"]),
        "gradients": comparison.gradient_difference(file, run, "G", names.gradients(gradients)),
    }
    if run == "train":
        buffers = {k: v for k, v in file.group("out/train/buffers/G/").items() if not k.endswith("num_batches_tracked")}
        # Buffers of layers that the code creates for larger images keep their values.
        result["buffers"] = comparison.largest(state | names.weights(generator), buffers)
    return result


def _noise(file):
    """Returns the noise of each block: the maps of its two convolutions."""
    maps = [file.images(f"in/noise/{key}") for key in sorted(file.group("in/noise/"))]
    return [np.concatenate(maps[index : index + 2], axis=-1) for index in range(0, len(maps), 2)]
