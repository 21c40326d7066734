"""Learning rates that change with the step."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("ganlib")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A constant learning rate that falls linearly to 0 over the last part of the training.

    Args:
        learning_rate: the rate before it falls.
        steps: the number of steps in all.
        decay: the share of the steps over which it falls, in ``(0, 1]``; Bad GAN (Dai et al. 2017, arXiv:1705.09783) and
            Salimans et al. 2016 (arXiv:1606.03498, on CIFAR-10) have a third to two thirds in their code.

    Example:
        >>> from ganlib.training.schedules import ConstantThenLinear
        >>> schedule = ConstantThenLinear(0.1, steps=100, decay=0.5)
        >>> [round(float(schedule(step)), 3) for step in (0, 50, 75, 100)]
        [0.1, 0.1, 0.05, 0.0]
    """

    def __init__(self, learning_rate, steps, decay=1.0):
        self.learning_rate, self.steps, self.decay = learning_rate, steps, decay

    def __call__(self, step):
        left = 1.0 - ops.cast(step, "float32") / self.steps
        return self.learning_rate * ops.clip(left / self.decay, 0.0, 1.0)

    def get_config(self):
        return {"learning_rate": self.learning_rate, "steps": self.steps, "decay": self.decay}
