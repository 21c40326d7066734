"""SNGAN and the projection cGAN of mimicry: images, logits, losses, all gradients and all statistics."""

import tensorflow as tf

from experiments.studies.parity import comparison, two_steps
from ganlib import losses
from ganlib.models.adversarial import with_labels

FILES = ("sngan32", "sngan64", "cgan_pd32")
CODE = "mimicry"


def differences(file):
    """Returns the differences by family: images, logits, losses, gradients and buffers of evaluation and of both steps."""
    return two_steps.of_all_runs(file, CODE, _of_run)


def _of_run(file, run, generator, discriminator, names):
    """Computes one run from the start state: evaluation, a discriminator step, or a generator step."""
    training, loss = run != "eval", losses.get("hinge")
    latents, real = tf.constant(file["in/z"]), tf.constant(file.images("in/real"))
    fake_labels, real_labels = (file.get(key) for key in ("in/y_fake", "in/y_real"))
    result = {}
    with tf.GradientTape(persistent=True) as tape:
        real_logits = None
        if run != "G_step":  # mimicry classifies real images before it generates
            real_logits = discriminator(*with_labels(real, real_labels), training=training)
        fake = generator(*with_labels(latents, fake_labels), training=training)
        fake_logits = discriminator(*with_labels(fake, fake_labels), training=training)
        generator_loss = loss.generator(fake_logits, None)
        if run != "G_step":
            discriminator_loss = loss.discriminator(real_logits, fake_logits)
    values = {"D_fake": fake_logits[:, None]}
    if real_logits is not None:
        values |= {"D_real": real_logits[:, None], "loss_D": discriminator_loss}
    if run != "D_step":
        values["loss_G"] = generator_loss
    if f"out/{run}/G" in file:
        result[f"{run}: images"] = comparison.difference(fake, file.images(f"out/{run}/G"))
    logits = {name: file[f"out/{run}/{name}"] for name in ("D_real", "D_fake") if f"out/{run}/{name}" in file}
    result[f"{run}: logits"] = comparison.largest(values, logits)
    references = {name: file[f"out/{run}/{name}"] for name in ("loss_D", "loss_G") if f"out/{run}/{name}" in file}
    result[f"{run}: losses"] = comparison.largest(values, references)
    if run != "G_step":
        gradients = comparison.gradients_of(tape, discriminator_loss, discriminator)
        result[f"{run}: gradients of D"] = comparison.gradient_difference(file, run, "D", names["D"].gradients(gradients))
    if run != "D_step":
        gradients = comparison.gradients_of(tape, generator_loss, generator)
        result[f"{run}: gradients of G"] = comparison.gradient_difference(file, run, "G", names["G"].gradients(gradients))
    ignored, embedding = ("num_batches_tracked", "sn_sigma"), ("l_y.weight", "l_y.sn_u")
    return result | two_steps.buffer_differences(file, run, (generator, discriminator), names, ignored, embedding)
