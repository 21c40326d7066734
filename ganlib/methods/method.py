"""The description of a method."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Method:
    """A training method, named after its file: the config keys that it reads, and how its model is built.

    Attributes:
        job: The job that trains it, ``"train_gan"`` or ``"train_classifier"``.
        build: A function ``build(run)`` that returns the compiled model of a `ganlib.runs.Run`.
        reads: Key of the config -> the `ganlib.methods.conditions` under which it is read, a tuple.
        settings: The keys of the config group that is named after the method: key -> ``(default, description)``.
        earlier_settings: Key of ``settings`` -> its value for a config of an earlier version, which lacks the key, if this is
            not the default.
        values: Key -> ``check(key, value)``, which raises `ganlib.UserError` if the value is invalid.
    """

    job: str
    build: Callable
    reads: dict
    settings: dict = dataclasses.field(default_factory=dict)
    earlier_settings: dict = dataclasses.field(default_factory=dict)
    values: dict = dataclasses.field(default_factory=dict)
