"""One file per experiment. Its docstring gives the paper, the command, the expected result and the training time."""

import functools
import importlib
import operator

import yaml


def load(name, overrides=()):
    """Loads a config of this folder.

    Args:
        name: The name of the file, such as ``"mnist_dcgan"``.
        overrides: Changes to keys, such as ``"steps=7"`` or ``"generator.width=32"``. Defaults to ``()``.

    Returns:
        A `ConfigDict`.

    Raises:
        UserError: If the name or a key is unknown, or a value has the wrong type.
    """
    from ganlib import UserError

    try:
        config, original = (importlib.import_module(f"experiments.configs.{name}").get_config() for _ in range(2))
    except (ModuleNotFoundError, AttributeError):
        raise UserError(f"no config {name!r}: pass the name of a file in experiments/configs") from None
    for pair in overrides:
        path, _, value = pair.partition("=")
        *groups, key = path.split(".")
        try:
            group = functools.reduce(operator.getitem, groups, config)
            _ = group[key]  # raises KeyError for an unknown key
            group[key] = yaml.safe_load(value)
        except (KeyError, TypeError) as error:
            raise UserError(f"{pair} does not fit config {name!r}: {' '.join(str(error.args[0]).split())}") from None
    return settled(config, original) if overrides else config


def settled(config, original):
    """Resets the keys of a config that have lost their effect through a change, such as another ``method``.

    Keys that the run no longer reads are reset to their defaults, and a note lists them. Keys that were changed themselves,
    or that have no effect in the original file, are left for `ganlib.runs.keys.check` to report.

    Args:
        config: The `ConfigDict` of a file, with changes.
        original: The `ConfigDict` of the file without changes.

    Returns:
        A `ConfigDict`.
    """
    from experiments.configs import base
    from ganlib.runs import keys

    if any(version.get("method") not in keys.READ for version in (config, original)):
        return config
    defaults = base.gan() if config.method == "gan" else base.classifier()
    if set(defaults) - set(config) or set(defaults) - set(original):
        return config
    idle_before, idle_now = keys.idle(original, defaults), keys.idle(config, defaults)
    newly_idle = [key for key in idle_now if key not in idle_before and keys.same(key, config, original)]
    if newly_idle:
        print(f"note: reset to the default, because this change leaves it unused: {', '.join(newly_idle)}", flush=True)
    return keys.without_idle(config, defaults, newly_idle)
