"""Schedules for learning rates, Adam's beta_2, weights of penalties, and decays of moving averages.

Arguments that support schedules take a number or a schedule. A schedule is a function of the step only, so a resumed run
continues with it.
"""

import math

import keras
import numpy as np
from keras import ops

from ganlib.errors import UserError, choose

register = keras.saving.register_keras_serializable("ganlib.schedules")


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """The base class of schedules from ``start`` to ``end``. They are constant before and after the change.

    Args:
        start: The initial value.
        end: The final value.
        steps: The number of steps from ``start`` to ``end``.
        begin: The step at which the change begins. Defaults to 0.

    Raises:
        UserError: If ``steps`` is not positive.
    """

    def __init__(self, start, end, steps, begin=0):
        if steps <= 0:
            raise UserError(f"a schedule's steps must be positive, got {steps}")
        self.start, self.end, self.steps, self.begin = start, end, steps, begin

    def __call__(self, step):
        progress = ops.clip((ops.cast(step, "float32") - self.begin) / self.steps, 0.0, 1.0)
        return self.value_after(progress)

    def value_after(self, progress):
        """Returns the value after a fraction of the steps, in ``[0, 1]``."""
        return self.start + (self.end - self.start) * self.interpolate(progress)

    def interpolate(self, progress):
        """Maps the fraction of the steps to the fraction of the change, both in ``[0, 1]``. Subclasses define it."""
        if hasattr(self, "way"):  # its name in earlier versions
            return self.way(progress)
        raise NotImplementedError

    def get_config(self):
        return {"start": self.start, "end": self.end, "steps": self.steps, "begin": self.begin}


@register
class Linear(Schedule):
    """A linear schedule.

    Examples:
        >>> from ganlib.training.schedules import Linear
        >>> schedule = Linear(0.1, 0.0, steps=50, begin=50)
        >>> [round(float(schedule(step)), 3) for step in (0, 50, 75, 100)]
        [0.1, 0.1, 0.05, 0.0]
    """

    def interpolate(self, progress):
        return progress


@register
class Cosine(Schedule):
    """A cosine schedule, slow at both ends: Loshchilov & Hutter 2017 (arXiv:1608.03983), without restarts."""

    def interpolate(self, progress):
        return 0.5 * (1.0 - ops.cos(math.pi * progress))


@register
class FixMatchCosine(Schedule):
    """``start * cos(7 pi t / 16)`` with t from 0 to 1 over the steps: Sohn et al. 2020 (arXiv:2001.07685). It ends at 0.195
    times the start.

    Args:
        start: The initial value.
        steps: The number of steps.

    Raises:
        UserError: If ``steps`` is not positive.

    Examples:
        >>> from ganlib.training.schedules import FixMatchCosine
        >>> [round(float(FixMatchCosine(0.03, steps=100)(step)), 4) for step in (0, 50, 100)]
        [0.03, 0.0232, 0.0059]
    """

    def __init__(self, start, steps):
        super().__init__(start, start * math.cos(7.0 * math.pi / 16.0), steps)

    def value_after(self, progress):
        return self.start * ops.cos(7.0 * math.pi / 16.0 * progress)

    def get_config(self):
        return {"start": self.start, "steps": self.steps}


@register
class Exponential(Schedule):
    """An exponential schedule: the same factor in every step. ``start`` and ``end`` have the same sign and are not 0.

    Args:
        start: The initial value.
        end: The final value.
        steps: The number of steps from ``start`` to ``end``.
        begin: The step at which the change begins. Defaults to 0.

    Raises:
        UserError: If ``steps`` is not positive, or ``start`` and ``end`` have different signs or one is 0.

    Examples:
        >>> from ganlib.training.schedules import Exponential
        >>> schedule = Exponential(1.0, 0.01, steps=10)
        >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
        [1.0, 0.1, 0.01]
    """

    def __init__(self, start, end, steps, begin=0):
        super().__init__(start, end, steps, begin)
        if start * end <= 0:
            raise UserError(
                f"start and end of an exponential schedule must be both above or both below 0, got {start} and {end}"
            )

    def value_after(self, progress):
        return self.start * ops.power(self.end / self.start, progress)


@register
class HalfLife(keras.optimizers.schedules.LearningRateSchedule):
    """The decay of a moving average with a given half-life: 0.5 ** (1 / half_life).

    Args:
        half_life: The number of steps after which the weight of a value has halved, a number or a schedule. 0 gives a decay of
            0.

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
    """A schedule that counts train steps, for an optimizer that makes several updates in each train step.

    A Keras optimizer evaluates its schedule at the number of its updates. With ``discriminator_steps=5`` the discriminator's
    optimizer makes five updates in a train step, so its schedule would end five times too early.

    Args:
        schedule: A number, or a schedule that counts train steps.
        updates: The number of updates that the optimizer makes in a train step, or a list with the number in each of several
            steps, after which the numbers repeat.

    Examples:
        >>> from ganlib.training.schedules import EachStep, Linear
        >>> schedule = EachStep(Linear(1.0, 0.0, steps=4), updates=5)
        >>> [float(schedule(update)) for update in (0, 4, 5, 20)]
        [1.0, 1.0, 0.75, 0.0]
        >>> schedule = EachStep(Linear(1.0, 0.0, steps=4), updates=[2, 1])
        >>> [float(schedule(update)) for update in range(6)]
        [1.0, 1.0, 0.75, 0.5, 0.5, 0.25]
    """

    def __init__(self, schedule, updates):
        self.schedule, self.updates = restored(schedule), updates

    def __call__(self, update):
        update, updates = ops.cast(update, "int64"), [self.updates] if isinstance(self.updates, int) else list(self.updates)
        steps = np.repeat(np.arange(len(updates)), updates)  # the step of each update, up to where they repeat
        step = ops.take(steps, ops.mod(update, len(steps))) + len(updates) * ops.floor_divide(update, len(steps))
        return value_at(self.schedule, step)

    def get_config(self):
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "updates": self.updates}


@register
class Adam(keras.optimizers.Adam):
    """Keras's Adam with a choice of the form of epsilon, and support for a schedule of ``beta_2``, which counts the
    optimizer's updates.

    Args:
        *args: As for `keras.optimizers.Adam`.
        corrected_epsilon: Whether ``epsilon`` is added to the root of the bias-corrected second moment, as in algorithm 1 of
            Kingma & Ba 2015 (arXiv:1412.6980) and in PyTorch. Keras and TensorFlow add it before the correction, which
            amounts to a larger epsilon in the first steps. Defaults to False.
        epsilon_in_root: Whether ``epsilon`` is added to the bias-corrected second moment itself, under the root, as in the code
            of Salimans et al. 2016 (arXiv:1606.03498). The denominator is then at least ``sqrt(epsilon)``, 1e-4 for their 1e-8.
            Defaults to False.
        **kwargs: As for `keras.optimizers.Adam`.

    Raises:
        UserError: If ``epsilon_in_root`` is combined with ``corrected_epsilon`` or ``amsgrad``.
    """

    def __init__(self, *args, corrected_epsilon=False, epsilon_in_root=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.corrected_epsilon, self.epsilon_in_root = corrected_epsilon, epsilon_in_root
        for name in ("corrected_epsilon", "amsgrad"):
            if epsilon_in_root and getattr(self, name):
                raise UserError(f"epsilon_in_root=True is another form of Adam than {name}=True: set one of them to False")

    @property
    def beta_2(self):
        """The value of ``beta_2`` at the current update."""
        return value_at(self._beta_2, self.iterations)

    @beta_2.setter
    def beta_2(self, value):
        self._beta_2 = restored(value)

    @property
    def epsilon(self):
        """The value that Keras adds to the root of the second moment before the bias correction."""
        if not self.corrected_epsilon:
            return self._epsilon
        power = ops.power(ops.cast(self.beta_2, "float32"), ops.cast(self.iterations + 1, "float32"))
        return self._epsilon * ops.sqrt(1.0 - power)

    @epsilon.setter
    def epsilon(self, value):
        self._epsilon = value

    def update_step(self, gradient, variable, learning_rate):
        """Updates a variable and its moments; called by Keras."""
        if not self.epsilon_in_root:
            super().update_step(gradient, variable, learning_rate)
            return
        dtype, index = variable.dtype, self._get_variable_index(variable)
        gradient, count = ops.cast(gradient, dtype), ops.cast(self.iterations + 1, dtype)
        first, second = self._momentums[index], self._velocities[index]
        self.assign_add(first, ops.multiply(ops.subtract(gradient, first), 1 - self.beta_1))
        self.assign_add(second, ops.multiply(ops.subtract(ops.square(gradient), second), 1 - self.beta_2))
        mean = ops.divide(first, 1 - ops.power(ops.cast(self.beta_1, dtype), count))
        square = ops.divide(second, 1 - ops.power(ops.cast(self.beta_2, dtype), count))
        change = ops.divide(mean, ops.sqrt(ops.add(square, self._epsilon)))
        self.assign_sub(variable, ops.multiply(change, ops.cast(learning_rate, dtype)))

    def get_config(self):
        forms = {"corrected_epsilon": self.corrected_epsilon, "epsilon_in_root": self.epsilon_in_root}
        config = {"epsilon": self._epsilon, **forms}
        return {**super().get_config(), "beta_2": keras.saving.serialize_keras_object(self._beta_2), **config}


def value_at(number, step):
    """Returns the value of a number or a schedule at a step."""
    return number(step) if callable(number) else number


def restored(number):
    """Returns a number or a schedule, and deserializes a schedule that Keras has serialized."""
    return keras.saving.deserialize_keras_object(number) if isinstance(number, dict) else number


SCHEDULES = {"linear": Linear, "cosine": Cosine, "exponential": Exponential, "fixmatch": FixMatchCosine, "half_life": HalfLife}
"""Name in a config -> class."""


def from_config(value, total_steps):
    """Returns a number, or the schedule that a config describes with a name and arguments.

    Args:
        value: A number, or a dict with one item, name -> arguments. Instead of ``steps``, the arguments may have ``share``, a
            fraction of ``total_steps``.
        total_steps: The number of steps of the training.

    Raises:
        UserError: If the name is unknown, or the arguments are invalid.

    Examples:
        >>> from ganlib.training import schedules
        >>> float(schedules.from_config({"cosine": {"start": 1.0, "end": 0.0, "share": 0.5}}, total_steps=20)(5))
        0.5
    """
    if not hasattr(value, "items"):
        return value
    if len(value) != 1:
        raise UserError(
            f"a schedule must have one name with its arguments, such as {{'linear': ...}}, got {', '.join(value) or 'no name'}"
        )
    ((name, arguments),) = value.items()
    kind = choose("schedule", name, SCHEDULES)
    arguments = {key: from_config(argument, total_steps) for key, argument in arguments.items()}
    if "share" in arguments:
        arguments["steps"] = arguments.pop("share") * total_steps
    try:
        return kind(**arguments)
    except TypeError as error:
        raise UserError(f"cannot build the schedule {name!r}: {error}") from None
