"""The valid values of each config key, checked one key at a time."""

import functools
import math

import ganlib
from ganlib.errors import UserError, choose


def check(key, value, checks, config, adapts):
    """Raises an error if the value of a key is invalid, whether or not the run reads the key.

    Args:
        key: A key such as ``"ada.interval"``.
        value: The value of the key; a `ConfigDict` if the key is a group.
        checks: Key -> the check for its value.
        config: The complete config.
        adapts: True if the method has a discriminator whose logits can drive adaptive augmentation.

    Raises:
        UserError: If the value is invalid. The message names the key and its valid values.
    """
    if key in checks:
        checks[key](key, value)
    if key == "augment":
        (augmentation_of_gan if adapts else augmentation)(key, value)
    if key == "ada.probability" and hasattr(value, "items") and config.ada.target is not None:
        raise UserError(
            "ada.probability is a schedule, but ada.target adapts it: set ada.target to None, or ada.probability to a number"
        )


def _reject(key, value, valid_values):
    raise UserError(f"{key} must be {valid_values}, got {value!r}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def whole(low, high=None):
    """Returns a check for integers.

    Args:
        low: The smallest valid value.
        high: The largest valid value; None sets no limit. Defaults to None.
    """

    def check(key, value):
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
            _reject(key, value, f"at least {low}" if high is None else f"from {low} to {high}")

    return check


def number(low, high=math.inf, *, open_low=False, open_high=False, schedule=False):
    """Returns a check for finite numbers.

    Args:
        low: The smallest valid value.
        high: The largest valid value. Defaults to infinity.
        open_low: Whether to reject ``low`` itself. Defaults to False.
        open_high: Whether to reject ``high`` itself. Defaults to False.
        schedule: Whether to also accept schedules of valid numbers. Defaults to False.
    """
    if high == math.inf:
        valid_values = f"above {low}" if open_low else f"at least {low}"
    else:
        valid_values = f"in {'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"

    def check(key, value):
        if schedule and hasattr(value, "items"):
            _check_schedule(key, value, check)
            return
        in_range = _is_number(value) and low <= value <= high
        if not in_range or (open_low and value == low) or (open_high and value == high):
            _reject(key, value, valid_values + (", or a schedule of it" if schedule else ""))

    return check


share = functools.partial(number, 0, 1)


def _check_schedule(key, value, check):
    """Checks the endpoints of a schedule. `ganlib.training.schedules.from_config` checks everything else."""
    for name, arguments in value.items():
        check_argument = number(0, schedule=True) if name == "half_life" else check
        for argument in ("start", "end", "half_life"):
            if hasattr(arguments, "items") and argument in arguments:
                check_argument(f"{key}.{name}.{argument}", arguments[argument])


def flag(key, value):
    """Checks that a value is True or False."""
    if not isinstance(value, bool):
        _reject(key, value, "True or False")


def text(key, value):
    """Checks that a value is a string."""
    if not isinstance(value, str):
        _reject(key, value, "a string")


def a_name(key, value):
    """Checks that a value is a non-empty string."""
    if not isinstance(value, str) or not value:
        _reject(key, value, "a name")


def optional(check):
    """Returns a check that accepts None and every value that ``check`` accepts."""
    return lambda key, value: None if value is None else check(key, value)


def one_of(what, names):
    """Returns a check for the names that the function ``names`` returns."""
    return lambda key, value: choose(what, value, dict.fromkeys(names()))


def color(key, value):
    """Checks that a value is a color name or code that Pillow accepts."""
    from PIL import ImageColor

    try:
        ImageColor.getrgb(value)
    except (ValueError, AttributeError):
        _reject(key, value, "a color such as 'white' or '#ff8800'")


def image_size(key, value):
    """Checks that a value is one that `ganlib.data.sizes.parsed` accepts."""
    from ganlib.data import sizes

    sizes.parsed(value)


def categories(key, value):
    """Checks that a value is a comma-separated list of names in `ganlib.augment.ada.CATEGORIES`."""
    from ganlib.augment import ada

    text(key, value)
    for name in value.split(","):
        choose("category", name.strip(), ada.CATEGORIES)


ARGUMENT_CHECKS = {
    **dict.fromkeys(("beta_1", "beta_2", "momentum", "rho", "decay"), share(open_high=True, schedule=True)),
    **dict.fromkeys(("temperature", "limit"), number(0, open_low=True)),
    "interval": whole(1),
    "linear_decay": share(open_low=True),
}
"""Argument of an optimizer, a penalty or a regularizer -> its check. Every other number must be at least 0."""


def arguments(key, value):
    """Checks the numbers among the arguments of optimizers, penalties and regularizers, at any depth."""
    for name, argument in value.items():
        inner = f"{key}.{name}"
        if name in ARGUMENT_CHECKS and argument is not None:
            ARGUMENT_CHECKS[name](inner, argument)
        elif hasattr(argument, "items"):
            arguments(inner, argument)
        elif isinstance(argument, (int, float)) and not isinstance(argument, bool):
            number(0)(inner, argument)


def augmentation(key, value):
    """Checks that a value names an augmentation of images that are classified."""
    from ganlib import augment

    _check_augmentation(key, value, augment.get_fixed)


def strong_augmentation(key, value):
    """Checks that a value names an augmentation of images with predicted labels."""
    from ganlib import augment

    _check_augmentation(key, value, augment.get_strong)


def augmentation_of_gan(key, value):
    """Checks that a value names an augmentation of real and generated images."""
    from ganlib import augment

    text(key, value)
    augment.get(value)


def _check_augmentation(key, value, get):
    text(key, value)
    if value == "ada":
        raise UserError(f"{key} cannot be 'ada', which adapts to a discriminator: choose another augmentation")
    get(value)


_SEED = whole(0, 2**32 - 1)

SHARED = {
    "dataset": a_name,
    "data_dir": optional(text),
    "classes": optional(a_name),
    "image_size": image_size,
    "skip_corrupt": flag,
    "background": color,
    "fit": one_of("fit", lambda: ganlib.data.fitting.FITS),
    "label_file": optional(a_name),
    "file_column": optional(a_name),
    "label_column": optional(a_name),
    "batch_size": whole(1),
    "steps": whole(1),
    "seed": _SEED,
    "networks": a_name,
    "generator_optimizer": arguments,
    "discriminator_optimizer": arguments,
    "update_rule": one_of("update_rule", lambda: ganlib.models.update_checks.UPDATES),
    "ada.categories": categories,
    "ada.probability": share(schedule=True),
    "ada.target": optional(number(-1, 1)),
    "ada.adjustment": number(0, open_low=True),
    "ada.interval": whole(1),
    "ada.strengths": arguments,
    "accumulation_steps": whole(1),
    "non_finite": one_of("non_finite", lambda: ("stop", "skip")),
    "ema_decay": share(open_high=True, schedule=True),
    "precision": one_of("precision", lambda: ganlib.training.precision.POLICIES),
    "steps_per_execution": whole(1),
    "log_every": whole(0),
    "checkpoint_every": whole(0),
    "sample_every": whole(0),
    "evaluate_every": whole(0),
    "smoke": flag,
    "conditional": flag,
    "instances.features": text,
    "instances.neighbors": whole(1),
    "instances.embedding_dim": whole(1),
    "instances.projected_dim": optional(whole(1)),
    "instances.kept": whole(1),
    "weights_from": optional(a_name),
    "body_from": optional(a_name),
    "frozen_layers": whole(0),
    "loss": one_of("loss", lambda: ganlib.losses.LOSSES),
    "penalties": arguments,
    "discriminator_steps": whole(1),
    "generator_batch_factor": whole(1),
    "fresh_real_images": flag,
    "mirror": flag,
    "top_k": share(open_low=True, schedule=True),
    "metrics": text,
    "features": a_name,
    "evaluation_samples": whole(2),
    "labels_per_class": optional(whole(1)),
    "label_seed": _SEED,
    "validation_per_class": whole(0),
    "test_split": text,
    "added_labels": optional(a_name),
    "selected_step": one_of("selected_step", lambda: ("last", "best")),
    "unlabeled_dataset": optional(a_name),
    "labeled_augment": optional(augmentation),
    "labeled_batch_size": optional(whole(1)),
    "class_sampling": one_of("class_sampling", lambda: ("as_is", "balanced")),
    "class_priors": one_of("class_priors", lambda: ("", "estimated")),
    "class_weights": one_of("class_weights", lambda: ("none", "balanced")),
    "unlabeled_weight": number(0),
    "features_from": optional(text),
    "generated_from": optional(text),
    "generated_images": whole(1),
    "freeze_features": flag,
    "initial_head": one_of("initial_head", lambda: ("", "linear_probe")),
    "regularizers": arguments,
}
"""Key -> the check for its value, for all keys that are not specific to one method."""
