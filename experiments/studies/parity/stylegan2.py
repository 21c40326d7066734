"""StyleGAN2-ADA's networks: styles, images, logits, R1, path length, and all gradients of first and second order."""

import math

import numpy as np
import tensorflow as tf

from experiments.studies.parity import comparison
from ganlib import interop, losses, penalties
from ganlib.models.critic import Critic
from ganlib.penalties import path_length

FILES = ("stylegan2_resnet", "stylegan2_cifar", "stylegan2_cifar_uncond")
CODE = "stylegan2_ada"


def differences(file):
    """Returns the differences by family."""
    generator, discriminator = networks(file)
    names = {net: comparison.Names(CODE, which, file.group(f"state/{net}/")) for net, which in WHICH.items()}
    labels = labels_of(file["in/c"])
    result = _of_generator(file, generator, labels)
    result |= _of_discriminator(file, discriminator, labels, names["D"])
    result |= _of_adversarial_loss(file, generator, discriminator, labels, names["G"])
    result |= _of_path_length(file, generator, labels, names["G"])
    generator.average_style.assign(file["state/G/mapping.w_avg"])
    generator(file["in/z"], labels, training=True)
    return result | {"average style": comparison.difference(generator.average_style, file["out/w_avg_after"])}


WHICH = {"G": "generator", "D": "discriminator"}


def networks(file):
    """Builds both networks of a file, with its sizes of groups."""
    generator = interop.generator(CODE, file.group("state/G/"))
    discriminator = interop.discriminator(CODE, file.group("state/D/"))
    group_size = file.meta["D_args"]["epilogue_kwargs"]["mbstd_group_size"]
    grouped = type(discriminator).from_config({**discriminator.get_config(), "group_size": group_size})
    grouped.set_weights(discriminator.get_weights())
    return generator, grouped


def labels_of(one_hot):
    """Converts one-hot labels to integers; None if there are no classes."""
    return np.argmax(one_hot, axis=-1) if one_hot.shape[-1] else None


def _of_generator(file, generator, labels):
    styles = generator.layer_styles(file["in/z"], labels)
    average, factor = generator.average_style.numpy(), file.meta["truncation_psi"]
    truncated = average + factor * (styles - average)
    fixed, cut = generator.from_styles(styles), generator.from_styles(truncated)
    none = generator.from_styles(styles, [tf.zeros((1, *conv.noise.shape)) for conv in generator.convs])
    count = len(file["in/z"])
    clipped = generator(file["in/z"], labels, truncation=np.full(count, factor, np.float32))
    references = {key: file.images(f"out/images_{key}") for key in ("const", "truncated_const", "none", "none_training")}
    return {
        "styles": comparison.difference(styles[:, 0], file["out/w"]),
        "truncated styles": comparison.difference(truncated[:, 0], file["out/w_truncated"]),
        "images": comparison.difference(fixed, references["const"]),
        "truncated images": max(
            comparison.difference(cut, references["truncated_const"]),
            comparison.difference(clipped, np.clip(references["truncated_const"], -1.0, 1.0)),
        ),
        "images without noise": max(comparison.difference(none, references[key]) for key in ("none", "none_training")),
    }


def _of_discriminator(file, discriminator, labels, names):
    images, gamma = tf.constant(file.images("in/images")), file.meta["r1_gamma"]
    critic = Critic(discriminator, lambda images, rng: images, labels, None)
    with tf.GradientTape(persistent=True) as tape:
        with tf.GradientTape() as inner:
            inner.watch(images)
            logits = critic(images)
        image_gradients = inner.gradient(logits, images)
        loss = losses.get("non_saturating").generator(logits, None)  # softplus(-logits), also the term of real images
        penalty = penalties.R1(gamma)(critic, images, None, None)
    squares = np.sum(np.square(image_gradients), axis=(1, 2, 3))
    first, second = (names.gradients(comparison.gradients_of(tape, value, discriminator)) for value in (loss, penalty))
    return {
        "logits": comparison.difference(logits, file["out/logits"]),
        "gradient by images": comparison.difference(image_gradients, file.images("out/r1_grads")),
        "R1": max(
            comparison.difference(squares, file["out/r1_penalty"]),
            comparison.difference(penalty, gamma / 2 * np.mean(file["out/r1_penalty"])),
        ),
        "loss of real images": comparison.difference(loss, file["out/loss_real"]),
        "gradients of D": comparison.largest(first, file.group("grad/D/")),
        "gradients of R1": of_second_order(second, file.group("grad_r1/D/")),
    }


def of_second_order(values, references):
    """Returns the largest difference of gradients of a penalty.

    Those of biases reach it only through the minibatch standard deviation, and some are zero. They are judged by the largest
    gradient of all, as the reference files advise.
    """
    scale = max(np.abs(value).max() for value in references.values())
    small = {name for name, value in references.items() if np.abs(value).max() < 1e-3 * scale}
    own = comparison.largest(values, {name: value for name, value in references.items() if name not in small})
    return max(own, comparison.largest(values, {name: references[name] for name in small}, scale)) if small else own


def _of_adversarial_loss(file, generator, discriminator, labels, names):
    with tf.GradientTape() as tape:
        images = generator.from_styles(generator.layer_styles(file["in/z"], labels))
        logits = discriminator(images, labels, training=True)
        loss = losses.get("non_saturating").generator(logits, None)
    gradients = names.gradients(comparison.gradients_of(tape, loss, generator))
    return {
        "logits of generated images": comparison.difference(logits, file["out/logits_fake"]),
        "loss of G": comparison.difference(loss, file["out/loss_G"]),
        "gradients of G": comparison.largest(gradients, file.group("grad/G/")),
    }


class Draws:
    """A stand-in for a `ganlib.training.RandomStream` that returns given arrays as normal draws, one after the other."""

    def __init__(self, *arrays):
        self._arrays = list(arrays)

    def normal(self, shape):
        values = tf.constant(self._arrays.pop(0), tf.float32)
        return tf.ensure_shape(values, [int(side) for side in shape])

    def advance_to(self, part):
        """Does nothing: there are no parts."""


def without_noise_draws(generator):
    """Makes a generator use its fixed noise and no style mixing."""
    generator.sample_noise = lambda count, rng: {}


def pixel_noise(noise):
    """Converts the authors' path length noise, which is already divided by the side, to normal draws."""
    return comparison.channels_last(noise) * math.sqrt(math.prod(noise.shape[2:]))


def _of_path_length(file, generator, labels, names):
    without_noise_draws(generator)
    styles, noise = generator.layer_styles(file["in/z"], labels), file["in/pl_noise"]
    gradients = path_length.style_gradients(generator, styles, None, comparison.channels_last(noise))
    penalty = penalties.PathLength(file.meta["pl_weight"], interval=1, decay=1.0 - file.meta["pl_decay"])
    penalty.build(generator, None)
    penalty.state.length.assign(file.meta["pl_mean"])
    count = len(noise)
    critic = Critic(None, None, None if labels is None else np.concatenate([labels, labels]), None)
    with tf.GradientTape() as tape:  # the penalty uses half of the batch
        fake = tf.zeros((2 * count, *generator.image_shape))
        value = penalty.of_generator(critic, generator, fake, Draws(file["in/z"], pixel_noise(noise)))
    of_weights = names.gradients(comparison.gradients_of(tape, value, generator))
    return {
        "gradient by styles": comparison.difference(gradients, file["out/pl_grads"]),
        "path lengths": comparison.difference(path_length.lengths_of(gradients), file["out/pl_lengths"]),
        "mean path length": comparison.difference(penalty.state.length, file["out/pl_mean_after"]),
        "path length penalty": comparison.difference(value, file.meta["pl_weight"] * np.mean(file["out/pl_penalty"])),
        "gradients of path length": of_second_order(of_weights, file.group("grad_pl/G/")),
    }
