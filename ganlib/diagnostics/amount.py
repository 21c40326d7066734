"""Too few images to train on."""

from ganlib.diagnostics.finding import Finding, confidence

IMAGES = (1000, 200)
"""The number of images below which a discriminator without augmentation is likely to memorize them, and where it is certain.

Karras et al. 2020 (arXiv:2006.06676) see it with 1,000 images, and with 2,000 after longer training.
"""
AUGMENTED_IMAGES = (60, 15)
"""The same with augmentation. Zhao et al. 2020 (arXiv:2006.10738) train on 100 images with DiffAugment."""
PER_CLASS = (50, 10)
"""The same for the images of each class of a conditional GAN."""


def too_few_images(num_examples, is_augmented=False, num_classes=None):
    """Finds a training set that is too small for a GAN.

    Args:
        num_examples: The number of training images.
        is_augmented: Whether the discriminator sees augmented images. Defaults to False.
        num_classes: The number of classes of a conditional GAN, otherwise None. Defaults to None.

    Returns:
        A `Finding`, or None.
    """
    sure = confidence(num_examples, *(AUGMENTED_IMAGES if is_augmented else IMAGES))
    of_class = confidence(num_examples / num_classes, *PER_CLASS) if num_classes and not is_augmented else None
    if sure is None and of_class is None:
        return None
    evidence = f"There are {num_examples:,} images"
    evidence += f", {num_examples / num_classes:.0f} for each of {num_classes} classes." if of_class else "."
    advice = "" if is_augmented else "Set --config.augment=ada or --config.augment=color,translation,cutout. "
    advice += (
        "Add images. Compare generated images with the nearest training images: experiments.evaluate writes neighbours.png."
    )
    return Finding("too_few_images", max(filter(None, (sure, of_class))), evidence, advice)
