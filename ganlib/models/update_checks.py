"""Checks that the updates of a GAN's train step fit each other and its loss."""

from ganlib.errors import UserError

UPDATES = ("alternating", "generator_first", "reuse", "simultaneous")
"""The values of the argument ``update`` of `ganlib.GAN.compile`."""


def check_updates(gan, accumulation_steps):
    """Checks the arguments of `ganlib.GAN.compile` that say what an update consists of.

    Args:
        gan: A `ganlib.GAN` with these arguments as attributes.
        accumulation_steps: The argument of this name.

    Raises:
        UserError: If they do not fit each other.
    """
    steps, factor, is_paired = gan.discriminator_steps, gan.generator_batch_factor, gan.is_paired
    if gan.update in ("reuse", "simultaneous"):
        _check_shared_images(gan)
    if gan.update == "simultaneous" and any(getattr(penalty, "separate", False) for penalty in gan.penalties):
        raise UserError("update='simultaneous' makes one step for all terms: set separate=False in the penalties")
    if gan.update == "reuse" and accumulation_steps != 1:
        raise UserError(
            f"update='reuse' needs the generated images of the whole batch at once: set accumulation_steps=1, got "
            f"{accumulation_steps}"
        )
    if factor > steps:
        raise UserError(
            f"generator_batch_factor must be at most discriminator_steps={steps}, the parts of a batch, got {factor}"
        )
    if is_paired and factor != 1:
        raise UserError(f"this loss compares pairs of real and generated images: set generator_batch_factor=1, got {factor}")
    if gan.fresh_real_images and not is_paired:
        raise UserError("fresh_real_images=True needs a loss that compares pairs, such as 'relativistic': set it to False")


def _check_shared_images(gan):
    """Checks that both networks can be updated on the same images."""
    arguments = {
        "generator_batch_factor": (gan.generator_batch_factor, 1),
        "fresh_real_images": (gan.fresh_real_images, False),
    }
    if gan.update == "simultaneous":
        arguments = {"discriminator_steps": (gan.discriminator_steps, 1)} | arguments
    for name, (value, needed) in arguments.items():
        if value != needed:
            raise UserError(f"update={gan.update!r} needs {name}={needed}, got {value}: set it to {needed}")
