"""What a penalty or an augmentation keeps between steps."""

import keras


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
