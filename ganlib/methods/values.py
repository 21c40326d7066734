"""The values that each key of a config may have, by itself."""

import functools
import math

import ganlib
from ganlib.errors import UserError, choose


def check(key, value, checks, config, adapts):
    """Refuses a value that a key cannot have, whether the key is read or not.

    Args:
        key: such as ``"ada.interval"``.
        value: its value; of a group, a `ConfigDict`.
        checks: key -> the check of its value.
        config: the whole config.
        adapts: whether the method has a discriminator to which an augmentation can adapt itself.

    Raises:
        UserError: naming the key and what it may be.
    """
    if key in checks:
        checks[key](key, value)
    if key == "augment":
        augmentation(key, value, adapts)
    if key == "ada.probability" and hasattr(value, "items") and config.ada.target is not None:
        raise UserError("ada.probability is a schedule, which ada.target would adapt: set ada.target to None, or give a number")


def _refuse(key, value, wanted):
    raise UserError(f"{key} must be {wanted}, got {value!r}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def whole(low, high=None):
    """A check for integers from ``low`` to ``high``."""

    def check(key, value):
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
            _refuse(key, value, f"at least {low}" if high is None else f"from {low} to {high}")

    return check


def number(low, high=math.inf, *, open_low=False, open_high=False, schedule=False):
    """A check for finite numbers from ``low`` to ``high``, or, with ``schedule``, for schedules of them."""
    if high == math.inf:
        wanted = f"above {low}" if open_low else f"at least {low}"
    else:
        wanted = f"in {'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"

    def check(key, value):
        if schedule and hasattr(value, "items"):
            _check_schedule(key, value, check)
            return
        good = _is_number(value) and low <= value <= high
        if not good or (open_low and value == low) or (open_high and value == high):
            _refuse(key, value, wanted + (", or a schedule of it" if schedule else ""))

    return check


share = functools.partial(number, 0, 1)


def _check_schedule(key, value, check):
    """Checks the ends of a schedule as `ganlib.training.schedules.from_config` reads it; that refuses the rest."""
    for name, arguments in value.items():
        own = number(0, schedule=True) if name == "half_life" else check
        for argument in ("start", "end", "half_life"):
            if hasattr(arguments, "items") and argument in arguments:
                own(f"{key}.{name}.{argument}", arguments[argument])


def flag(key, value):
    """A check for True and False."""
    if not isinstance(value, bool):
        _refuse(key, value, "True or False")


def text(key, value):
    """A check for strings."""
    if not isinstance(value, str):
        _refuse(key, value, "a string")


def a_name(key, value):
    """A check for strings that are not empty."""
    if not isinstance(value, str) or not value:
        _refuse(key, value, "a name")


def optional(check):
    """A check for None and what another accepts."""
    return lambda key, value: None if value is None else check(key, value)


def one_of(what, names):
    """A check for the names that a function returns."""
    return lambda key, value: choose(what, value, dict.fromkeys(names()))


def color(key, value):
    """A check for colors as Pillow names them."""
    from PIL import ImageColor

    try:
        ImageColor.getrgb(value)
    except (ValueError, AttributeError):
        _refuse(key, value, "a color such as 'white' or '#ff8800'")


def categories(key, value):
    """A check for names of `ganlib.augment.ada.CATEGORIES`."""
    from ganlib.augment import ada

    text(key, value)
    for name in value.split(","):
        choose("category", name.strip(), ada.CATEGORIES)


OWN = {
    **dict.fromkeys(("beta_1", "beta_2", "momentum", "rho", "decay"), share(open_high=True, schedule=True)),
    **dict.fromkeys(("temperature", "limit"), number(0, open_low=True)),
    "interval": whole(1),
    "linear_decay": share(open_low=True),
}
"""Argument of an optimizer, a penalty or a regularizer -> its check; every other number is at least 0."""


def arguments(key, value):
    """A check for the numbers among the arguments of optimizers, penalties and regularizers, at any depth."""
    for name, argument in value.items():
        inner = f"{key}.{name}"
        if name in OWN and argument is not None:
            OWN[name](inner, argument)
        elif hasattr(argument, "items"):
            arguments(inner, argument)
        elif isinstance(argument, (int, float)) and not isinstance(argument, bool):
            number(0)(inner, argument)


def augmentation(key, value, adapts=False):
    """A check for an augmentation by name.

    Args:
        key: The key of the config.
        value: Its value.
        adapts: Whether there is a discriminator that ``"ada"`` can adapt to. Defaults to False.

    Raises:
        UserError: For an unknown name, and for ``"ada"`` where it cannot adapt.
    """
    from ganlib import augment

    text(key, value)
    if value != "ada":
        augment.get(value)
    elif not adapts:
        raise UserError(f"{key} cannot be 'ada', which adapts itself to a discriminator: choose another augmentation")


_SEED = whole(0, 2**32 - 1)

SHARED = {
    "dataset": a_name,
    "data_dir": optional(text),
    "classes": optional(a_name),
    "image_size": optional(whole(1)),
    "skip_corrupt": flag,
    "background": color,
    "batch_size": whole(1),
    "steps": whole(1),
    "seed": _SEED,
    "networks": a_name,
    "generator_optimizer": arguments,
    "discriminator_optimizer": arguments,
    "update_rule": one_of("update_rule", lambda: ("alternating", "simultaneous")),
    "ada.categories": categories,
    "ada.probability": share(schedule=True),
    "ada.target": optional(number(-1, 1)),
    "ada.adjustment": number(0, open_low=True),
    "ada.interval": whole(1),
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
    "instances.kept": whole(1),
    "weights_from": optional(a_name),
    "body_from": optional(a_name),
    "frozen_layers": whole(0),
    "loss": one_of("loss", lambda: ganlib.losses.LOSSES),
    "penalties": arguments,
    "discriminator_steps": whole(1),
    "top_k": share(open_low=True, schedule=True),
    "metrics": text,
    "features": a_name,
    "evaluation_samples": whole(2),
    "labels_per_class": optional(whole(1)),
    "label_seed": _SEED,
    "validation_per_class": whole(0),
    "test_split": text,
    "unlabeled_dataset": optional(a_name),
    "labeled_augment": optional(augmentation),
    "labeled_batch_size": optional(whole(1)),
    "unlabeled_weight": number(0),
    "features_from": optional(text),
    "generated_from": optional(text),
    "generated_images": whole(1),
    "freeze_features": flag,
    "regularizers": arguments,
}
"""Key -> its check, of the keys that do not belong to one method alone."""
