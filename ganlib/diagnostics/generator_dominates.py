"""The generator dominates: the discriminator cannot tell its images from real ones, although they differ."""

from ganlib.diagnostics.history import finding

ACCURACY = (0.6, 0.5)
"""The share of the pairs of a real and a generated image that the discriminator ranks correctly, below which it is reported."""
IMAGE_DISTANCE = (0.15, 0.4)
"""The energy distance between generated and real images. The discriminator of a good generator may be right to be unsure."""


def symptom(history):
    """Finds a dominating generator in a `History`: a `Finding`, or None."""
    sure = history.reaches("discriminator_accuracy", *ACCURACY), history.reaches("image_distance", *IMAGE_DISTANCE)
    if None in sure:
        return None
    return finding(
        "generator_dominates",
        [min(sure)],
        f"The discriminator ranks {history.value('discriminator_accuracy'):.0%} of the pairs of a real and a generated image "
        "correctly, where guessing is right in 50%, but the images differ: their energy distance from real ones is "
        f"{history.value('image_distance'):.2f}.",
        "Raise the learning rate of the discriminator or lower that of the generator, set --config.discriminator_steps=2, "
        "widen the discriminator, or lower the weight of its penalty.",
    )
