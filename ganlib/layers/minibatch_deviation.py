"""The minibatch standard deviation layer of progressive GANs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("ganlib.layers")
class MinibatchDeviation(keras.layers.Layer):
    """Appends a channel with the mean standard deviation of all features over a group of images of the batch.

    Karras et al. 2018 (arXiv:1710.10196), section 3.

    Args:
        group_size: The number of images in a group. Defaults to 4.
        strided: Whether a group has images that are equally far apart in the batch, as in the authors' code: image k is in the
            group ``k % number_of_groups``. A batch smaller than ``group_size`` is one group, and a batch that is not a multiple
            of it has the next larger groups that divide it; the authors' code requires a multiple. Each replica has its own
            groups, so the result depends on the number of replicas. If False, groups have consecutive images, and the channel
            is zero for a batch that is not a multiple of ``group_size``. Defaults to False.
    """

    def __init__(self, group_size=4, strided=False, **kwargs):
        super().__init__(**kwargs)
        self.group_size, self.strided = group_size, strided

    def call(self, inputs):
        count, (_, height, width, channels) = ops.shape(inputs)[0], inputs.shape
        x, group = ops.cast(inputs, "float32"), self._size_of_groups(count)
        # Adding zeros broadcasts to all images and positions. Under XLA `ops.repeat` has no gradient inside a condition.
        if self.strided:
            x = ops.reshape(x, (group, -1, height * width * channels))
            channel = self._deviation(x, 0) + ops.zeros((group, 1, height * width), "float32")
        else:
            x = ops.reshape(x, (-1, group, height * width * channels))
            channel = self._deviation(x, 1) + ops.zeros((1, group, height * width), "float32")
        channel = ops.reshape(ops.cast(channel, inputs.dtype), (count, height, width, 1))
        return ops.concatenate([inputs, channel], axis=-1)

    def _deviation(self, x, axis):
        return ops.mean(ops.sqrt(ops.var(x, axis=axis, keepdims=True) + 1e-8), axis=-1, keepdims=True)

    def _size_of_groups(self, count):
        """Returns the number of images in a group. It is a Python integer for a static batch size, so that XLA knows the
        shapes.
        """
        size, is_static = self.group_size, isinstance(count, int)
        if not self.strided:
            return (size if count % size == 0 else 1) if is_static else ops.where(ops.equal(count % size, 0), size, 1)
        if is_static:
            return next((k for k in range(min(size, count), count) if count % k == 0), count)
        candidates = ops.arange(1, count + 1)
        is_valid = ops.logical_and(ops.equal(count % candidates, 0), candidates >= ops.minimum(size, count))
        return ops.min(ops.where(is_valid, candidates, count))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size, "strided": self.strided}
