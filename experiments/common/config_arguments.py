"""Command-line extensions of config flags: configs by name, and ``--config.KEY=VALUE`` for keys that do not exist yet."""

import ast
import pathlib
import re

from ml_collections import config_flags

FOLDER = pathlib.Path(__file__).parents[1] / "configs"
OPEN_GROUPS = (
    "generator", "discriminator", "generator_optimizer", "discriminator_optimizer", "penalties", "regularizers",
    "generator_regularizers", "triple_gan.classifier", "triple_gan.classifier_optimizer", "bad_gan.encoder",
    "bad_gan.encoder_optimizer", "bad_gan.density", "bad_gan.density_optimizer", "ada.strengths",
)  # fmt: skip
"""Groups to which the command line may add keys. They hold arguments by name, and their consumer rejects unknown ones."""


def with_paths(argv):
    """Replaces the name in ``--config=digits_dcgan`` by the path of that file in `experiments.configs`."""
    return [re.sub(r"^(--?config=)(\w+)$", _with_path, argument) for argument in argv]


def _with_path(match):
    path = FOLDER / f"{match[2]}.py"
    return f"{match[1]}{path}" if path.exists() and not pathlib.Path(match[2]).exists() else match[0]


def split_added(argv):
    """Separates the arguments that add a key to one of `OPEN_GROUPS`, which config flags cannot do.

    Args:
        argv: The command line.

    Returns:
        ``(argv, added)``: the other arguments, for absl's flags, and a dict from paths such as ``"penalties.lecam.weight"`` to
        the text of the value.
    """
    config = _load_config(argv)
    remaining, added = [], {}
    for argument in argv:
        match = re.match(r"^--?config\.([\w.]+)=(.*)$", argument, re.DOTALL)
        if config and match and match[1].startswith(tuple(f"{group}." for group in OPEN_GROUPS)) and not _has(config, match[1]):
            added[match[1]] = match[2]
        else:
            remaining.append(argument)
    return remaining, added


def add(config, added):
    """Sets the keys from `split_added` in a config."""
    with config.unlocked():
        for path, text in added.items():
            *groups, key = path.split(".")
            group = config
            for name in groups:
                if name not in group:
                    group[name] = {}
                group = group[name]
            group[key] = _value(text)


def _value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _load_config(argv):
    """Loads the config file that the arguments name. Returns None on failure; absl's flags then report the error."""
    path = next((argument.partition("=")[2] for argument in argv if re.match(r"^--?config=", argument)), "")
    try:
        config = config_flags.config_flags.ConfigFileFlagParser("config").parse(path)
        return config if hasattr(config, "keys") else None
    except Exception:
        return None


def _has(config, path):
    for key in path.split("."):
        if not hasattr(config, "keys") or key not in config:
            return False
        config = config[key]
    return True
