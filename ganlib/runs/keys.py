"""Which keys of a config a method reads, and which values they may have.

A key that a run does not read must be left at its default, and no value may be nonsense. `check` refuses both before
anything is trained or written. `READ` is the one place that says what is read: the jobs check by it, runs are compared by
it, and the page of all keys is made of it. tests/runs/test_keys.py holds it against what every key does.
"""

from ganlib.errors import UserError, did_you_mean
from ganlib.methods import METHODS, values
from ganlib.methods.conditions import OWN_FEATURES

JOBS = {name: method.job for name, method in METHODS.items()}
"""Method -> the job that trains it."""


READ = {name: method.reads for name, method in METHODS.items()}
"""Method -> key -> the conditions under which it is read; a key that is not there is not read."""

VALUES = values.SHARED | {key: check for method in METHODS.values() for key, check in method.values.items()}
"""Key -> what refuses a value that it cannot have. Networks and augmentations refuse theirs themselves."""


def check(config, defaults):
    """Refuses a config that is not of the job, or that sets a key to no purpose or to nonsense.

    Args:
        config: the `ConfigDict` to train by.
        defaults: that of all keys of the job, with their defaults.

    Raises:
        UserError: naming the keys, with their values and what to do.
    """
    check_values(config, defaults)
    found = idle(config, defaults)
    if found:
        raise UserError("; ".join(found.values()))


def check_values(config, defaults):
    """The part of `check` that is about each key alone.

    Raises:
        UserError: for the config of another job, a key that there is not or is missing, or a value that it cannot have.
    """
    _check_job(config, defaults)
    known = dict(_items(defaults))
    given = dict(_items(config))
    for key in given:
        if key not in known:
            raise UserError(f"unknown config key: {key}.{did_you_mean(key, known)}")
    for key in known:
        if key not in given:
            raise UserError(f"the config lacks the key {key}: begin it with one of the functions in experiments.configs.base")
    for key, value in given.items():
        values.check(key, value, VALUES, config, adapts="ada.target" in READ[config.method])


def idle(config, defaults, kept=()):
    """The keys that differ from their defaults although the run does not read them.

    Args:
        config: a `ConfigDict` whose ``method`` is known.
        defaults: that of all keys of its job, with their defaults.
        kept: conditions to take for fulfilled.

    Returns:
        A dict from keys to a line about each.
    """
    before, lines = dict(_items(defaults)), {}
    for key, value in _items(config):
        reason = _why_unread(key, config, kept)
        if reason and key in before and _plain(value) != _plain(before[key]):
            unless, remedy = reason
            shown = f"{key}={_plain(value)!r} does nothing where {unless}"
            lines[key] = f"{shown}: leave it at {_plain(before[key])!r}, or {remedy}"
    return lines


def without_idle(config, defaults, keys):
    """A copy of a config, in which some of the keys of `idle` are at their defaults."""
    config, before = config.copy_and_resolve_references(), dict(_items(defaults))
    with config.unlocked(), config.ignore_type():
        for key in keys:
            group, _, leaf = key.rpartition(".")
            (config[group] if group else config)[leaf] = before[key]
    return config


def same(key, config, other):
    """Whether two configs have the same value of a key."""
    return _plain(dict(_items(config)).get(key)) == _plain(dict(_items(other)).get(key))


def unread(config):
    """The keys, among those of `READ`, that a run of a config does not read: a set of names.

    Networks that ``features_from`` names count as read, since a run's config has them in their place.
    """
    if config.method not in READ:
        return set()  # `ganlib.runs.build` refuses it
    everything = {key for own in READ.values() for key in own}
    return {key for key in everything if _why_unread(key, config, kept=(OWN_FEATURES,))}


def filled(config, defaults):
    """What an older version wrote of a config, with today's keys: those that it lacks have their defaults.

    Args:
        config: a dict.
        defaults: the `ConfigDict` of all keys.

    Returns:
        A dict of the keys of ``defaults``.
    """
    result = {}
    for key, default in defaults.items():
        if key in GROUPS:
            result[key] = filled(config.get(key) or {}, default)
        else:
            result[key] = config.get(key, _plain(default))
    return result


def readers(key, job):
    """The methods of a job that read a key, perhaps under conditions: a list of names."""
    return [method for method, own in JOBS.items() if own == job and key in READ[method]]


def _why_unread(key, config, kept):
    """``(unless, remedy)`` where a key is not read, otherwise None."""
    own = READ[config.method]
    if key not in own:
        methods = " or ".join(repr(method) for method in readers(key, JOBS[config.method]))
        return f"method is {config.method!r}", f"set method to {methods}"
    return next(((c.unless, c.remedy) for c in own[key] if c not in kept and not c.holds(config)), None)


def _check_job(config, defaults):
    method, job = config.get("method"), JOBS[defaults.method]
    if method in JOBS and JOBS[method] != job:
        raise UserError(
            f"method {method!r} is not trained by experiments.{job}: run python -m experiments.{JOBS[method]} with this config"
        )
    if method not in JOBS:
        own = [name for name in JOBS if JOBS[name] == job]
        raise UserError(f"unknown method {method!r}: known are {', '.join(own)}.{did_you_mean(method, own)}")


def _items(config, prefix=""):
    """Pairs of a key and its value; a group whose keys `READ` names is taken apart, other groups are values."""
    for key in config:
        value = config[key]
        if f"{prefix}{key}" in GROUPS and hasattr(value, "items"):
            yield from _items(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value):
    return value.to_dict() if hasattr(value, "to_dict") else value


GROUPS = {key.rpartition(".")[0] for own in READ.values() for key in own} - {""}
