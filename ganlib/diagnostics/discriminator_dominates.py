"""The discriminator dominates: it tells all images apart, and the generator gets no useful gradients."""

from ganlib.diagnostics.history import finding

SEPARATION = (6.0, 12.0)
"""The difference between the mean logits of real and generated images, in standard deviations, from which it is reported."""
ACCURACY = (0.999, 1.0)
IMAGE_DISTANCE = (0.2, 0.5)
"""The energy distance between generated and real images. A generator whose images are close to real ones learns anyway."""


def symptom(history):
    """Finds a dominating discriminator in a `History`: a `Finding`, or None."""
    sure = [
        history.reaches("separation", *SEPARATION),
        history.reaches("discriminator_accuracy", *ACCURACY),
        history.reaches("image_distance", *IMAGE_DISTANCE),
    ]
    if None in sure:
        return None
    return finding(
        "discriminator_dominates",
        [min(sure[0], sure[2])],
        f"The discriminator ranks {history.value('discriminator_accuracy'):.1%} of the pairs of a real and a generated image "
        f"correctly, with mean logits {history.value('separation'):.0f} standard deviations apart, and the generated images do "
        "not come closer to real ones.",
        "Lower the learning rate of the discriminator, set --config.discriminator_steps=1, use --config.loss=non_saturating "
        "or hinge, or add a penalty such as --config.penalties.r1.weight=10.",
    )
