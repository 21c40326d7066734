"""Projected GAN: random mixing, the small discriminators in evaluation and in both steps, and DiffAugment from its draws."""

import numpy as np
import tensorflow as tf

from experiments.studies.parity import comparison
from ganlib import augment, interop, losses
from ganlib.interop.codes import projected_gan
from ganlib.networks import efficientnet_lite

FILES = ("projected",)
CODE = "projected_gan"

FUNCTIONS = {
    "brightness": augment.brightness,
    "saturation": augment.saturation,
    "contrast": augment.contrast,
    "translation": augment.translation,
    "cutout": augment.DiffAugment("cutout:0.2"),
}
POLICY = "color,translation,cutout:0.2"


def differences(file):
    """Returns the differences by family. The feature maps of the file take the place of the backbone."""
    state = {f"feature_network.{name}": value for name, value in file.group("state/P/").items()}
    state |= {f"discriminator.{name}": value for name, value in file.group("state/D/").items()}
    state |= backbone_state()
    names = comparison.Names(CODE, "discriminator", state)
    return {
        **_mixing(file, state),
        **_discriminator_run(file, "eval", state, names),
        **_discriminator_run(file, "D_step", state, names),
        **_generator_step(file, state, names),
        **_augmentations(file),
    }


def backbone_state():
    """Returns random arrays of an EfficientNet-Lite0 by the names of the code; the file has none."""
    rng, state = np.random.default_rng(0), {}

    def add(name, norm, *shape):
        name, norm = (f"{projected_gan.PRETRAINED}.{part}" for part in (name, norm))
        state[f"{name}.weight"] = rng.normal(size=shape, scale=0.1)
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{part}"] = rng.uniform(0.5, 1.5, shape[0])

    channels = efficientnet_lite.STEM
    add("layer0.0", "layer0.1", channels, 3, 3, 3)
    for (blocks, kernel, _, expansion, outputs), place in zip(
        efficientnet_lite.STAGES, projected_gan.PLACES.values(), strict=True
    ):
        for block in range(blocks):
            name, wide = f"{place}.{block}", expansion * channels
            depthwise, narrow = (wide, 1, kernel, kernel), (outputs, wide, 1, 1)
            if expansion > 1:
                add(f"{name}.conv_pw", f"{name}.bn1", wide, channels, 1, 1)
                add(f"{name}.conv_dw", f"{name}.bn2", *depthwise)
                add(f"{name}.conv_pwl", f"{name}.bn3", *narrow)
            else:
                add(f"{name}.conv_dw", f"{name}.bn1", *depthwise)
                add(f"{name}.conv_pw", f"{name}.bn2", *narrow)
            channels = outputs
    return state


def _maps(file, prefix):
    return [tf.constant(file.images(f"in/{prefix}{scale}")) for scale in range(4)]


def _mixing(file, state):
    mixing, maps = interop.discriminator(CODE, state).mixing, _maps(file, "feat")
    across = [conv(x) for conv, x in zip(mixing.across_channels, maps, strict=True)]
    values = {"ccm": [across[0][:, ::2, ::2], *across[1:]], "proj": mixing(maps)}
    return {
        f"mixing: {key}": comparison.largest(
            {str(scale): x for scale, x in enumerate(outputs)},
            {str(scale): file.images(f"out/{key}/{scale}") for scale in range(4)},
        )
        for key, outputs in values.items()
    }


def _discriminator_run(file, run, state, names):
    network, training, loss = interop.discriminator(CODE, state), run != "eval", losses.get("hinge")
    with tf.GradientTape() as tape:  # the code starts with the generated images
        fake, real = (network.logits(network.mixing(_maps(file, key)), training=training) for key in ("feat", "real_feat"))
        total = loss.discriminator(real, fake)
    gradients = names.gradients(comparison.gradients_of(tape, total, network))
    references = {name: file[f"out/{run}/{name}"] for name in ("D_fake", "D_real")}
    terms = [np.mean(np.maximum(1.0 - real, 0.0)), np.mean(np.maximum(1.0 + fake, 0.0))]
    result = {
        f"{run}: logits": comparison.largest({"D_fake": fake, "D_real": real}, references),
        f"{run}: losses": comparison.largest(
            {"terms": terms, "sum": total}, {"terms": file[f"out/{run}/loss_D"], "sum": np.sum(file[f"out/{run}/loss_D"])}
        ),
        f"{run}: gradients of D": comparison.gradient_difference(file, run, "D", _without_prefix(gradients)),
    }
    if training:
        buffers = file.group(f"out/{run}/buffers/D/")
        buffers = {name: value for name, value in buffers.items() if not name.endswith("num_batches_tracked")}
        result[f"{run}: buffers"] = comparison.largest(_without_prefix(names.weights(network)), buffers)
    return result


def _without_prefix(arrays):
    """Removes the first part of names, such as ``discriminator``, which the file leaves out."""
    return {name.partition(".")[2]: value for name, value in arrays.items()}


def _generator_step(file, state, names):
    network, maps = interop.discriminator(CODE, state), _maps(file, "feat")
    weights = network.mixing.weights
    with tf.GradientTape() as tape:
        tape.watch([maps, [weight.value for weight in weights]])
        loss = losses.get("hinge").generator(network.logits(network.mixing(maps), training=True), None)
    of_maps, of_weights = tape.gradient(loss, [maps, [weight.value for weight in weights]])
    kept = {str(scale): of_maps[scale][:, ::step, ::step] for scale, step in enumerate((4, 2, 1, 1))}
    for weight, gradient in zip(weights, of_weights, strict=True):
        weight.assign(gradient)  # to read the gradients by the authors' names
    return {
        "G_step: losses": comparison.difference(loss, file["out/G_step/loss_G"]),
        "G_step: gradients of maps": comparison.largest(
            kept, {str(scale): file.images(f"grad/G_step/feat{scale}") for scale in range(4)}
        ),
        "G_step: gradients of mixing": comparison.largest(
            _without_prefix(names.weights(network)), file.group("grad/G_step/P/")
        ),
    }


class _Draws:
    """Stands in for a `ganlib.training.RandomStream` that returns the draws of a file, one after the other."""

    def __init__(self, file, name):
        keys = sorted(key for key in file.group(f"out/aug/{name}_draw"))
        self._draws = iter([file[f"out/aug/{name}_draw{key}"] for key in keys])

    def uniform(self, shape, low=0.0, high=1.0):
        return low + (high - low) * tf.reshape(next(self._draws), shape)

    def integers(self, shape, low, high):
        return tf.reshape(tf.cast(next(self._draws), tf.int32), shape)


def _augmentations(file):
    images = tf.constant(file.images("in/aug/x"))
    functions = {f"rand_{name}": function for name, function in FUNCTIONS.items()} | {"chain": augment.DiffAugment(POLICY)}
    return {
        f"DiffAugment: {name}": comparison.difference(function(images, _Draws(file, name)), file.images(f"out/aug/{name}"))
        for name, function in functions.items()
    }
