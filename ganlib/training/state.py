"""What a penalty or an augmentation keeps between steps."""

import keras
import tensorflow as tf


class State(keras.layers.Layer):
    """float32 scalars that are kept between steps and saved with the model.

    Args:
        first: name -> the number that it begins with; each becomes an attribute.
    """

    def __init__(self, **first):
        super().__init__()
        for name, number in first.items():
            initializer = keras.initializers.Constant(number)
            weight = self.add_weight(
                name=name, shape=(), initializer=initializer, dtype="float32", trainable=False, autocast=False
            )
            setattr(self, name, weight)
        self.built = True

    def average(self, name, value, decay, is_due):
        """Moves a scalar towards ``value``, if ``is_due``, as a moving average of a ``decay``; returns it."""
        variable = getattr(self, name)
        decay = tf.where(is_due, decay, 1.0)
        variable.assign(decay * variable.value + (1.0 - decay) * tf.cast(value, tf.float32))
        return variable.value
