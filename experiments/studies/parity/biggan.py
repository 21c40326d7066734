"""BigGAN: images, logits, losses, all gradients, all statistics, and the gradient of orthogonal regularization."""

import numpy as np
import tensorflow as tf

from experiments.studies.parity import comparison, two_steps
from ganlib import interop, penalties

FILES = ("biggan128", "biggan_cifar")
CODE = "biggan"
TOLERANCES = {"eval: gradients of D": 3e-3, "eval: gradients of G": 3e-3}
"""One unit of the fourth block is so near zero that its ReLU depends on the CPU's rounding: the difference is either 1.3e-5 or
1.5e-3, and a relative change of the images of 3e-7 turns the one into the other."""


def differences(file):
    """Returns the differences by family: images, logits, losses, gradients and buffers of evaluation and of both steps."""
    result = two_steps.of_all_runs(file, CODE, _of_run)
    state = file.group("state/G/")
    return result | _orthogonality(file, interop.generator(CODE, state), comparison.Names(CODE, "generator", state))


def _of_run(file, run, generator, discriminator, names):
    """Computes one run from the start state: evaluation, a discriminator step, or a generator step."""
    training, result = run != "eval", {}
    real = tf.constant(file.images("in/real"))
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(tf.constant(file["in/z"]), file["in/y_fake"], training=training)
        if run == "D_step":  # one call of the discriminator for generated and real images
            images, labels = tf.concat([fake, real], 0), np.concatenate([file["in/y_fake"], file["in/y_real"]])
            fake_logits, real_logits = tf.split(discriminator(images, labels, training=True), [len(fake), len(real)])
        else:
            fake_logits = discriminator(fake, file["in/y_fake"], training=training)
            real_logits = discriminator(real, file["in/y_real"], training=False)
        losses = [tf.reduce_mean(tf.nn.relu(1.0 - real_logits)), tf.reduce_mean(tf.nn.relu(1.0 + fake_logits))]
        discriminator_loss, generator_loss = sum(losses), -tf.reduce_mean(fake_logits)
    values = {"D_fake": fake_logits[:, None], "D_real": real_logits[:, None], "loss_D": losses, "loss_G": generator_loss}
    for key, reference in ((key, file.get(f"out/{run}/{key}")) for key in values):
        if reference is not None:
            family = f"{run}: {'losses' if key.startswith('loss') else 'logits'}"
            result[family] = max(result.get(family, 0.0), comparison.difference(values[key], reference))
    reference = file.get(f"out/{run}/G")
    if reference is not None:
        stride = fake.shape[1] // reference.shape[2]
        result[f"{run}: images"] = comparison.difference(fake[:, ::stride, ::stride], comparison.channels_last(reference))
    if run != "G_step":
        gradients = names["D"].gradients(comparison.gradients_of(tape, discriminator_loss, discriminator))
        result[f"{run}: gradients of D"] = comparison.gradient_difference(file, run, "D", gradients)
    if run != "D_step":
        gradients = names["G"].gradients(comparison.gradients_of(tape, generator_loss, generator))
        result[f"{run}: gradients of G"] = comparison.gradient_difference(file, run, "G", gradients)
    embedding = "embed.weight", "embed.u0"
    return result | two_steps.buffer_differences(file, run, (generator, discriminator), names, ("sv0",), embedding)


def _orthogonality(file, generator, names):
    """Returns the difference of the gradient of orthogonal regularization with the author's weight of 1e-4."""
    with tf.GradientTape() as tape:
        loss = penalties.OrthogonalWeights(1e-4).of_generator(None, generator, None, None)
    gradients = names.gradients(comparison.gradients_of(tape, loss, generator))
    references = file.group("out/ortho/G/")
    zero = {name: value for name, value in references.items() if not np.any(value)}
    others = {name: value for name, value in references.items() if name not in zero}
    scale = max(np.abs(value).max() for value in others.values())
    return {"orthogonal regularization": max(comparison.largest(gradients, others), comparison.largest(gradients, zero, scale))}
