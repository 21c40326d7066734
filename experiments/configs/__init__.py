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
        config = importlib.import_module(f"experiments.configs.{name}").get_config()
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
    return config
