"""`State`: variables that a penalty or an augmentation keeps between steps."""

import keras
import numpy as np
import tensorflow as tf


class State(keras.layers.Layer):
    """Float32 numbers and arrays that are kept between steps and saved with the model.

    Args:
        **initial_values: Name -> initial value, a number or a numpy array. Each becomes an attribute.
    """

    def __init__(self, **initial_values):
        super().__init__()
        for name, value in initial_values.items():
            initializer = keras.initializers.Constant(value)
            weight = self.add_weight(
                name=name, shape=np.shape(value), initializer=initializer, dtype="float32", trainable=False, autocast=False
            )
            setattr(self, name, weight)
        self.built = True

    def average(self, name, value, decay, is_due):
        """Updates a scalar as a moving average of ``value`` with a ``decay`` if ``is_due`` is True, and returns it."""
        variable = getattr(self, name)
        decay = tf.where(is_due, decay, 1.0)
        variable.assign(decay * variable.value + (1.0 - decay) * tf.cast(value, tf.float32))
        return variable.value
