"""The description of a method."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Method:
    """What a method reads of a config, and how its model is built. Its name is the name of its file.

    Attributes:
        job: The job that trains it, ``"train_gan"`` or ``"train_classifier"``.
        build: ``build(run)`` returns the compiled model of a `ganlib.runs.Run`.
        reads: Key of the config -> the `ganlib.methods.conditions` under which it is read, a tuple.
        settings: The keys of its own group of the config, which has the method's name: key -> ``(default, description)``.
        values: Key -> ``check(key, value)``, which raises `ganlib.UserError` for a value that the key cannot have.
    """

    job: str
    build: Callable
    reads: dict
    settings: dict = dataclasses.field(default_factory=dict)
    values: dict = dataclasses.field(default_factory=dict)
