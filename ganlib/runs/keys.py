"""The config keys that each method reads, and the checks of a config.

A key that a run does not read must keep its default, and every value must be valid. `check` enforces both before anything
is trained or written. `READ` is the single source of truth for the keys that a method reads: the jobs check configs against
it, runs are compared with it, and the page of all keys is generated from it. tests/runs/test_keys.py verifies it against the
effect of every key.
"""

from ganlib.errors import UserError, did_you_mean
from ganlib.methods import METHODS, values
from ganlib.methods.conditions import OWN_FEATURES
from ganlib.runs import automatic

JOBS = {name: method.job for name, method in METHODS.items()}
"""Method -> the job that trains it."""


READ = {name: method.reads for name, method in METHODS.items()}
"""Method -> key -> the conditions under which the key is read. The method does not read any other key."""

VALUES = values.SHARED | {key: check for method in METHODS.values() for key, check in method.values.items()}
"""Key -> the check for its value. Networks and augmentations check their arguments themselves."""


def check(config, defaults):
    """Raises an error if a config belongs to another job, has an invalid value, or sets a key that has no effect.

    Args:
        config: The `ConfigDict` to train with.
        defaults: The `ConfigDict` of all keys of the job, with their default values.

    Raises:
        UserError: If a check fails. The message has the keys, their values and how to fix them.
    """
    check_values(config, defaults)
    idle_keys = idle(config, defaults)
    if idle_keys:
        raise UserError("; ".join(idle_keys.values()))


def check_values(config, defaults):
    """Runs the checks of `check` that concern a single key.

    Raises:
        UserError: If the config belongs to another job, a key is unknown or missing, or a value is invalid.
    """
    _check_job(config, defaults)
    known = dict(_items(defaults))
    values_by_key = dict(_items(config))
    for key in values_by_key:
        if key not in known:
            raise UserError(f"unknown config key: {key}.{did_you_mean(key, known)}")
    for key in known:
        if key not in values_by_key:
            raise UserError(f"the config lacks the key {key}: create it with one of the functions in experiments.configs.base")
    unset = automatic.unset(config)
    for key, value in values_by_key.items():
        if key in unset:
            continue
        values.check(key, value, VALUES, config, adapts="ada.target" in READ[config.method])


def idle(config, defaults, fulfilled=()):
    """Returns the keys that differ from their defaults although the run does not read them.

    Args:
        config: A `ConfigDict` with a known ``method``.
        defaults: The `ConfigDict` of all keys of its job, with their default values.
        fulfilled: Conditions to treat as fulfilled. Defaults to ``()``.

    Returns:
        A dict from each key to a one-line message about it.
    """
    default_values, lines = dict(_items(defaults)), {}
    for key, value in _items(config):
        reason = _why_unread(key, config, fulfilled)
        if reason and key in default_values and _plain(value) != _plain(default_values[key]):
            unless, remedy = reason
            problem = f"{key}={_plain(value)!r} has no effect, because {unless}"
            lines[key] = f"{problem}: set it to its default {_plain(default_values[key])!r}, or {remedy}"
    return lines


def without_idle(config, defaults, keys):
    """Returns a copy of a config in which some keys, as returned by `idle`, are reset to their defaults."""
    config, default_values = config.copy_and_resolve_references(), dict(_items(defaults))
    with config.unlocked(), config.ignore_type():
        for key in keys:
            group, _, leaf = key.rpartition(".")
            (config[group] if group else config)[leaf] = default_values[key]
    return config


def same(key, config, other):
    """Returns True if two configs have the same value for a key."""
    return _plain(dict(_items(config)).get(key)) == _plain(dict(_items(other)).get(key))


def unread(config):
    """Returns the set of keys in `READ` that a run with this config does not read.

    Networks that come from ``features_from`` count as read, because the config of the run contains them.
    """
    if config.method not in READ:
        return set()  # `ganlib.runs.build` raises an error
    all_keys = {key for conditions in READ.values() for key in conditions}
    return {key for key in all_keys if _why_unread(key, config, fulfilled=(OWN_FEATURES,))}


def with_earlier_settings(config):
    """Fills in the settings of a config's method that its version of ganlib did not have yet, with the values that it used.

    Args:
        config: The config of a run as a dict.

    Returns:
        A dict.
    """
    name = config.get("method")
    if name not in METHODS or not METHODS[name].settings:
        return config
    defaults = {key: _plain(default) for key, (default, _) in METHODS[name].settings.items()}
    return {**config, name: {**defaults, **METHODS[name].earlier_settings, **(config.get(name) or {})}}


def filled(config, defaults):
    """Fills in the missing keys of a config from an older version of ganlib with the values that it used.

    Args:
        config: The config as a dict.
        defaults: The `ConfigDict` of all keys with their default values.

    Returns:
        A dict with the keys of ``defaults``.
    """
    result, config = {}, with_earlier_settings(config)
    for key, default in defaults.items():
        if key in GROUPS:
            result[key] = filled(config.get(key) or {}, default)
        else:
            result[key] = config.get(key, _plain(default))
    return result


def readers(key, job):
    """Returns the names of a job's methods that read a key, always or under conditions, as a list."""
    return [method for method, method_job in JOBS.items() if method_job == job and key in READ[method]]


def _why_unread(key, config, fulfilled):
    """Returns ``(unless, remedy)`` if a key is not read, otherwise None."""
    conditions = READ[config.method]
    if key not in conditions:
        methods = " or ".join(repr(method) for method in readers(key, JOBS[config.method]))
        return f"method is {config.method!r}", f"set method to {methods}"
    return next(((c.unless, c.remedy) for c in conditions[key] if c not in fulfilled and not c.holds(config)), None)


def _check_job(config, defaults):
    method, job = config.get("method"), JOBS[defaults.method]
    if method in JOBS and JOBS[method] != job:
        raise UserError(
            f"experiments.{job} does not train method {method!r}: run python -m experiments.{JOBS[method]} with this config"
        )
    if method not in JOBS:
        methods = [name for name in JOBS if JOBS[name] == job]
        raise UserError(f"unknown method {method!r}: known are {', '.join(methods)}.{did_you_mean(method, methods)}")


def _items(config, prefix=""):
    """Yields pairs of a key and its value. Groups whose keys are in `READ` are flattened; other groups are values."""
    for key in config:
        value = config[key]
        if f"{prefix}{key}" in GROUPS and hasattr(value, "items"):
            yield from _items(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value):
    return value.to_dict() if hasattr(value, "to_dict") else value


GROUPS = {key.rpartition(".")[0] for conditions in READ.values() for key in conditions} - {""}
