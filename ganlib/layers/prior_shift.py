"""A layer after class logits that corrects them for the frequencies of the classes."""

import keras

from ganlib.layers.dtype_policy import policy


@keras.saving.register_keras_serializable("ganlib")
class PriorShift(keras.layers.Layer):
    """Adds ``shift``, ``(num_classes,)``, to class logits outside of training.

    A classifier trained on equally many labels of each class predicts as if the classes were equally frequent. With the
    logarithm of the ratio of the real to the training frequencies as ``shift``, it predicts for the real ones: Saerens et al.
    2002, "Adjusting the outputs of a classifier to new a priori probabilities". The shift is initially 0. It is not trained.
    """

    def build(self, input_shape):
        self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros", trainable=False)

    def call(self, logits, training=False):
        return logits if training else logits + keras.ops.cast(self.shift, logits.dtype)


def with_prior_shift(head):
    """Returns a layer that applies ``head``, a layer from features to class logits, and then a `PriorShift`."""
    layers = head.layers if isinstance(head, keras.Sequential) else [head]
    with policy(head.dtype_policy):
        return keras.Sequential([*layers, PriorShift(name="prior_shift")], name="head")


def prior_shift_of(head):
    """Returns the `PriorShift` at the end of a head from `with_prior_shift`, or None for another head."""
    last = head.layers[-1] if isinstance(head, keras.Sequential) else head
    return last if isinstance(last, PriorShift) else None
