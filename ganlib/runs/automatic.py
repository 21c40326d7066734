"""The values of unset config keys, which follow from the training images and from the machine.

A config such as `photos_gan` leaves keys unset. The training job fills them in before it starts the run, and ``config.json``
holds the values. A resumed run keeps them.
"""

import pathlib

import numpy as np

from ganlib.data import opening
from ganlib.errors import UserError
from ganlib.files import read_dict
from ganlib.methods import METHODS
from ganlib.runs import images
from ganlib.training import precision

BATCH_SIZE = 16
MAX_REPETITIONS = 400
"""The number of times that each image is used in training, at most."""
MAX_VALIDATION = 200
"""The largest number of labels of each class that are held out."""
MANY_IMAGES = 20_000
"""From this number of images on, they are not mirrored."""


def gan(num_images):
    """Returns the values for a GAN.

    - ``batch_size`` is 16, or the number of images if there are fewer.
    - ``steps`` is 2,000. With more than 5,000 images it is larger in proportion, up to 20,000. With fewer than 80 images it is
      smaller, so that no image is used more than about 400 times. It is a multiple of 50.
    - ``mirror`` is True for fewer than 20,000 images, of which mirroring makes twice as many.
    - ``precision`` is ``"mixed_bfloat16"`` on a machine with bfloat16 instructions, otherwise ``"float32"``.

    Args:
        num_images: The number of training images.

    Returns:
        A dict from keys to values.

    Examples:
        >>> from ganlib.runs import automatic
        >>> automatic.gan(2000)["steps"]
        2000
    """
    batch_size = min(BATCH_SIZE, num_images)
    steps = 2000 * min(max(num_images / 5000, 1), 10)
    return {
        "batch_size": batch_size,
        "steps": 50 * round(min(steps, MAX_REPETITIONS * num_images / batch_size) / 50),
        "mirror": num_images < MANY_IMAGES,
        "precision": "mixed_bfloat16" if precision.has_bfloat16() else "float32",
    }


def classifier(smallest_class, labeled_splits=()):
    """Returns the values for a classifier.

    - ``test_split`` is the first split with labels, otherwise "", which tests on held-out images.
    - ``validation_per_class`` is 0 with a test split, so that all labels are trained on. Otherwise, it is a fifth of the labels
      of the smallest class, at least 1 and at most 200.

    Args:
        smallest_class: The number of labeled images of the class that has the fewest.
        labeled_splits: The names of the splits for testing whose images have labels, the preferred one first. Defaults to
            ``()``.

    Returns:
        A dict from keys to values.

    Raises:
        UserError: If images must be held out and a class has a single labeled image.

    Examples:
        >>> from ganlib.runs import automatic
        >>> automatic.classifier(30)
        {'test_split': '', 'validation_per_class': 6}
    """
    if labeled_splits:
        return {"test_split": labeled_splits[0], "validation_per_class": 0}
    if smallest_class == 1:
        raise UserError(
            "a class has one labeled image, and one of each class is held out for testing: label another, or add a folder test "
            "with labeled images"
        )
    return {"test_split": "", "validation_per_class": min(max(smallest_class // 5, 1), MAX_VALIDATION)}


def _gan_of(config, source):
    return gan(source.num_examples)


def _classifier_of(config, source):
    smallest = 0 if source.labels is None else int(np.bincount(source.labels, minlength=source.num_classes).min())
    table = {key: config[key] for key in images.TABLE}
    if config.test_split is not None:
        return classifier(smallest, [config.test_split] if config.test_split else [])
    splits = opening.splits(config.dataset, config.data_dir, **table)
    return classifier(smallest, [split for split in ("test", "validation") if split in splits and _has_labels(config, split)])


def _has_labels(config, split):
    return images.open_data(config, split).labels is not None


_CLASSIFIERS = [name for name, method in METHODS.items() if method.job == "train_classifier"]

RULES = {"gan": _gan_of} | dict.fromkeys(_CLASSIFIERS, _classifier_of)
"""Method -> a function from the config and the `ganlib.data.Source` of the training images to the values of `KEYS`."""

KEYS = {"gan": ("batch_size", "steps", "mirror", "precision")} | dict.fromkeys(
    _CLASSIFIERS, ("test_split", "validation_per_class")
)
"""Method -> the keys that may be unset."""


def unset(config):
    """Returns those keys of `KEYS` that a config leaves unset, as a list.

    Args:
        config: A `ConfigDict`.
    """
    return [key for key in KEYS.get(config.method, ()) if config.get(key) is None]


def completed(config, source, workdir=None):
    """Returns a config with a value for every unset key.

    Args:
        config: A `ConfigDict`, which is not changed.
        source: The `ganlib.data.Source` of the training images.
        workdir: The run's folder. If it holds a run, the values are those of this run. Defaults to None.

    Returns:
        ``config`` if no key is unset, otherwise a copy.
    """
    keys = unset(config)
    if not keys:
        return config
    values = RULES[config.method](config, source)
    earlier = (read_dict(pathlib.Path(workdir) / "config.json") if workdir else None) or {}
    config = config.copy_and_resolve_references()
    for key in keys:
        config[key] = values[key] if earlier.get(key) is None else earlier[key]
    return config
