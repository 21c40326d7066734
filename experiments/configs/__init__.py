"""One file for each experiment; its docstring tells the paper, the command, the number to expect and the time it takes."""

import functools
import importlib
import operator

import yaml


def load(name, overrides=()):
    """The config in a file of this folder.

    Args:
        name: the file's name, such as ``"mnist_dcgan"``.
        overrides: changes of keys, such as ``"steps=7"`` or ``"generator.width=32"``.

    Returns:
        A `ConfigDict`.

    Raises:
        UserError: for an unknown name or key, or a value of another type.
    """
    from ganlib import UserError

    try:
        config, original = (importlib.import_module(f"experiments.configs.{name}").get_config() for _ in range(2))
    except (ModuleNotFoundError, AttributeError):
        raise UserError(f"no config {name!r}: give the name of a file in experiments/configs") from None
    for pair in overrides:
        path, _, value = pair.partition("=")
        *groups, key = path.split(".")
        try:
            group = functools.reduce(operator.getitem, groups, config)
            _ = group[key]  # fails for a key that is not there
            group[key] = yaml.safe_load(value)
        except (KeyError, TypeError) as error:
            raise UserError(f"{pair} does not fit config {name!r}: {' '.join(str(error.args[0]).split())}") from None
    return settled(config, original) if overrides else config


def settled(config, original):
    """A config without what its file sets for something that was switched off afterwards, such as another ``method``.

    Keys that the run no longer reads go back to their defaults, and a line says so. Keys that were changed themselves, or
    that do nothing in the file as it is, are left for `ganlib.runs.keys.check` to refuse.

    Args:
        config: the `ConfigDict` of a file, with changes.
        original: the same without them.

    Returns:
        A `ConfigDict`.
    """
    from experiments.configs import base
    from ganlib.runs import keys

    if any(each.get("method") not in keys.READ for each in (config, original)):
        return config
    defaults = base.gan() if config.method == "gan" else base.classifier()
    if set(defaults) - set(config) or set(defaults) - set(original):
        return config
    before, now = keys.idle(original, defaults), keys.idle(config, defaults)
    left = [key for key in now if key not in before and keys.same(key, config, original)]
    if left:
        print(f"note: set back to the default, since nothing reads it after this change: {', '.join(left)}", flush=True)
    return keys.without_idle(config, defaults, left)
