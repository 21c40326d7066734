"""Numbers that change with the step: learning rates, Adam's beta_2, weights of penalties, decays of averages.

Wherever one may change, a number or a schedule is taken. A schedule is a function of the step alone, so a resumed run goes
on with it.
"""

import math

import keras
from keras import ops

from ganlib.errors import UserError, choose

register = keras.saving.register_keras_serializable("ganlib.schedules")


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A number that goes from ``start`` to ``end``, and stays at each before and after.

    Args:
        start: the number at first.
        end: the number in the end.
        steps: the number of steps on the way.
        begin: the step at which it leaves ``start``.

    Raises:
        UserError: if ``steps`` is not positive.
    """

    def __init__(self, start, end, steps, begin=0):
        if steps <= 0:
            raise UserError(f"a schedule's steps must be positive, got {steps}")
        self.start, self.end, self.steps, self.begin = start, end, steps, begin

    def __call__(self, step):
        share = ops.clip((ops.cast(step, "float32") - self.begin) / self.steps, 0.0, 1.0)
        return self.start + (self.end - self.start) * self.interpolate(share)

    def interpolate(self, share):
        """The share of the change after a share of the steps: from ``[0, 1]`` onto itself. Subclasses define it."""
        raise NotImplementedError

    def get_config(self):
        return {"start": self.start, "end": self.end, "steps": self.steps, "begin": self.begin}


@register
class Linear(Schedule):
    """A number that changes in a line.

    Examples:
        >>> from ganlib.training.schedules import Linear
        >>> schedule = Linear(0.1, 0.0, steps=50, begin=50)
        >>> [round(float(schedule(step)), 3) for step in (0, 50, 75, 100)]
        [0.1, 0.1, 0.05, 0.0]
    """

    def interpolate(self, share):
        return share


@register
class Cosine(Schedule):
    """A number that changes slowly, fast, and slowly again: Loshchilov & Hutter 2017 (arXiv:1608.03983), without restarts."""

    def interpolate(self, share):
        return 0.5 * (1.0 - ops.cos(math.pi * share))


@register
class HalfLife(keras.optimizers.schedules.LearningRateSchedule):
    """The decay of a moving average in which a value counts half after a number of steps: 0.5 ** (1 / half_life).

    Args:
        half_life: in steps, a number or a schedule; 0 gives a decay of 0.

    Examples:
        >>> from ganlib.training.schedules import HalfLife
        >>> round(float(HalfLife(10)(0)) ** 10, 4)
        0.5
    """

    def __init__(self, half_life):
        self.half_life = restored(half_life)

    def __call__(self, step):
        return ops.power(0.5, 1.0 / ops.maximum(ops.cast(value_at(self.half_life, step), "float32"), 1e-8))

    def get_config(self):
        return {"half_life": keras.saving.serialize_keras_object(self.half_life)}


@register
class EachStep(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of train steps, for an optimizer that makes several updates in each of them.

    A Keras optimizer asks its schedule for the value at one of its own updates. With ``discriminator_steps=5`` the
    discriminator's optimizer makes five updates in a train step, so that its schedule would end five times too early.

    Args:
        schedule: a number, or a schedule that counts train steps.
        updates: the optimizer's updates in a train step.

    Examples:
        >>> from ganlib.training.schedules import EachStep, Linear
        >>> schedule = EachStep(Linear(1.0, 0.0, steps=4), updates=5)
        >>> [float(schedule(update)) for update in (0, 4, 5, 20)]
        [1.0, 1.0, 0.75, 0.0]
    """

    def __init__(self, schedule, updates):
        self.schedule, self.updates = restored(schedule), updates

    def __call__(self, update):
        return value_at(self.schedule, ops.floor_divide(update, self.updates))

    def get_config(self):
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "updates": self.updates}


@register
class Adam(keras.optimizers.Adam):
    """Keras's Adam, whose ``beta_2`` may be a schedule of its own updates, too."""

    @property
    def beta_2(self):
        """Its value at the step that the optimizer is at."""
        return value_at(self._beta_2, self.iterations)

    @beta_2.setter
    def beta_2(self, value):
        self._beta_2 = restored(value)

    def get_config(self):
        return {**super().get_config(), "beta_2": keras.saving.serialize_keras_object(self._beta_2)}


def value_at(number, step):
    """What a number or a schedule is at a step."""
    return number(step) if callable(number) else number


def restored(number):
    """A number or a schedule, also from what Keras has made of one to save it."""
    return keras.saving.deserialize_keras_object(number) if isinstance(number, dict) else number


SCHEDULES = {"linear": Linear, "cosine": Cosine, "half_life": HalfLife}
"""The name in a config -> what it makes."""


def from_config(value, total_steps):
    """A number, or the schedule that a config describes by one name and its arguments.

    Args:
        value: a number, or a dict.
        total_steps: the steps of the training, of which ``share`` among the arguments, in the place of ``steps``, is a part.

    Raises:
        UserError: for an unknown name or wrong arguments.

    Examples:
        >>> from ganlib.training import schedules
        >>> float(schedules.from_config({"cosine": {"start": 1.0, "end": 0.0, "share": 0.5}}, total_steps=20)(5))
        0.5
    """
    if not hasattr(value, "items"):
        return value
    if len(value) != 1:
        raise UserError(f"a schedule is one name and its arguments, as in {{'linear': ...}}, got {', '.join(value) or 'none'}")
    ((name, arguments),) = value.items()
    kind = choose("schedule", name, SCHEDULES)
    arguments = {key: from_config(argument, total_steps) for key, argument in arguments.items()}
    if "share" in arguments:
        arguments["steps"] = arguments.pop("share") * total_steps
    try:
        return kind(**arguments)
    except TypeError as error:
        raise UserError(f"the schedule {name!r} cannot be made: {error}") from None
