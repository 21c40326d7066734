"""Grouped convolution that is fast on CPU."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("ganlib.layers")
class GroupedConv(keras.layers.Conv2D):
    """A `keras.layers.Conv2D` that computes few groups as separate convolutions.

    On CPU, TensorFlow 2.21 takes a hundred times as long for the gradient of a convolution with 4 groups as for that of a
    single group.
    """

    LOOPED = 8

    def call(self, inputs):
        if not 1 < self.groups <= self.LOOPED:
            return super().call(inputs)
        groups = zip(ops.split(inputs, self.groups, axis=-1), ops.split(self.kernel, self.groups, axis=-1), strict=True)
        outputs = ops.concatenate([ops.conv(x, kernel, self.strides, self.padding) for x, kernel in groups], axis=-1)
        return self.activation(outputs + self.bias if self.use_bias else outputs)
