"""R3GAN: images, logits, the terms of both losses, and all gradients, also those of the penalties alone."""

import numpy as np
import tensorflow as tf

from experiments.studies.parity import comparison
from ganlib import augment, interop, losses, penalties
from ganlib.models.critic import Critic
from ganlib.training import RandomStream

FILES = ("r3gan",)
CODE = "r3gan"
PENALTIES_ALONE = 100.0
"""The factor of the penalties in the file's gradients of the penalties alone."""


def differences(file):
    """Returns the differences by family."""
    states = {net: file.group(f"state/{net}/") for net in "GD"}
    generator, discriminator = interop.generator(CODE, states["G"]), interop.discriminator(CODE, states["D"])
    names = {"G": comparison.Names(CODE, "generator", states["G"]), "D": comparison.Names(CODE, "discriminator", states["D"])}
    return {
        **_discriminator_step(file, generator, discriminator, names["D"]),
        **_generator_step(file, generator, discriminator, names["G"]),
    }


def _inputs(file):
    return tf.constant(file["in/latents"]), tf.constant(file.images("in/reals")), tf.argmax(file["in/labels"], axis=1)


def _discriminator_step(file, generator, discriminator, names):
    latents, real, labels = _inputs(file)
    fake = generator(latents, labels, training=True)
    critic = Critic(discriminator, augment.none, labels, RandomStream(0))
    gamma = file.meta["Gamma"]
    with tf.GradientTape(persistent=True) as tape:
        real_logits, fake_logits = critic.forward(real), critic.forward(fake)
        adversarial = losses.get("relativistic").discriminator(real_logits, fake_logits)
        terms = [kind(weight=gamma)(critic, real, fake, RandomStream(0)) for kind in (penalties.R1, penalties.R2)]
        loss = adversarial + sum(terms)
        alone = (2.0 * PENALTIES_ALONE / gamma) * sum(terms)
    values = {
        "relativistic_logits": real_logits - fake_logits,
        "adversarial": tf.math.softplus(fake_logits - real_logits),
        "r1": [_squared_norm(discriminator, real[i : i + 1], labels[i : i + 1]) for i in range(len(real))],
        "r2": [_squared_norm(discriminator, fake[i : i + 1], labels[i : i + 1]) for i in range(len(real))],
        "loss": loss,
    }
    references = file.group("out/D/")
    means = [adversarial, *terms]
    expected = [references["adversarial"].mean(), *(gamma / 2 * references[key].mean() for key in ("r1", "r2"))]
    result = {
        "images": comparison.difference(fake, file.images("out/images")),
        "logits": comparison.largest(
            {"real": real_logits, "fake": fake_logits}, {key: file[f"out/logits_{key}"] for key in ("real", "fake")}
        ),
        "D: terms and loss": comparison.largest(values, references),
        "D: losses and penalties": max(map(comparison.difference, means, expected)),
    }
    for prefix, value in (("grad", loss), ("grad_gamma0", adversarial), ("grad_penalty", alone)):
        gradients = names.gradients(comparison.gradients_of(tape, value, discriminator))
        result[f"D: {prefix}"] = _gradient_difference(gradients, file.group(f"{prefix}/D/"))
    return result


def _squared_norm(discriminator, image, label):
    """The squared norm of the gradient at one image, which a penalty averages over the batch."""
    critic = Critic(discriminator, augment.none, label, RandomStream(0))
    return 2.0 * penalties.R1(weight=1.0)(critic, image, image, RandomStream(0))


def _generator_step(file, generator, discriminator, names):
    latents, real, labels = _inputs(file)
    with tf.GradientTape() as tape:
        fake_logits = discriminator(generator(latents, labels, training=True), labels, training=True)
        real_logits = discriminator(real, labels, training=True)
        loss = losses.get("relativistic").generator(fake_logits, real_logits)
    logits = fake_logits - real_logits
    values = {"relativistic_logits": logits, "adversarial": tf.math.softplus(-logits), "loss": loss}
    gradients = names.gradients(comparison.gradients_of(tape, loss, generator))
    return {
        "G: terms and loss": comparison.largest(values, file.group("out/G/")),
        "G: grad": _gradient_difference(gradients, file.group("grad/G/")),
    }


def _gradient_difference(gradients, references):
    """Compares each gradient relative to its own largest value; those that are exactly zero relative to the largest of all."""
    scale = max(np.abs(value).max() for value in references.values())
    zeros = {name: value for name, value in references.items() if not value.any()}
    others = {name: value for name, value in references.items() if name not in zeros}
    return max(comparison.largest(gradients, others), comparison.largest(gradients, zeros, scale) if zeros else 0.0)
