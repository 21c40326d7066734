"""The minibatch standard deviation layer of progressive GANs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("ganlib.layers")
class MinibatchDeviation(keras.layers.Layer):
    """Appends a channel with the mean standard deviation of all features over `GROUP` consecutive images of the batch.

    Karras et al. 2018 (arXiv:1710.10196), section 3. If the batch size is not a multiple of `GROUP`, the channel is zero.
    """

    GROUP = 4

    def call(self, inputs):
        count, (_, height, width, channels) = ops.shape(inputs)[0], inputs.shape
        group = self._group_size(count)
        x = ops.reshape(ops.cast(inputs, "float32"), (-1, group, height * width * channels))
        deviation = ops.mean(ops.sqrt(ops.var(x, axis=1, keepdims=True) + 1e-8), axis=-1, keepdims=True)
        # Adding zeros broadcasts to all images and positions. Under XLA `ops.repeat` has no gradient inside a condition.
        channel = ops.cast(deviation, inputs.dtype) + ops.zeros((1, group, height * width), inputs.dtype)
        return ops.concatenate([inputs, ops.reshape(channel, (count, height, width, 1))], axis=-1)

    def _group_size(self, count):
        """Returns the number of images in a group. It is a Python integer for a static batch size, so that XLA knows the
        shapes.
        """
        if isinstance(count, int):
            return self.GROUP if count % self.GROUP == 0 else 1
        return ops.where(ops.equal(count % self.GROUP, 0), self.GROUP, 1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)
