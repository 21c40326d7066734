"""Layers that Keras lacks: spectral and weight normalization, conditional batch normalization, and makers of the usual ones."""

import keras
from keras import ops

from ganlib.errors import choose
from ganlib.layers.dtype_policy import SublayerPolicy, policy

register = keras.saving.register_keras_serializable("ganlib.layers")


class Composed:
    """Mixed into a Keras layer or model that is given others as arguments: they are saved with it, and made again before it.

    Attributes:
        parts: the names of those arguments, and of the attributes that hold them.
    """

    parts = ()

    def get_config(self):
        """The arguments, the parts among them in the form in which Keras saves layers."""
        return {**super().get_config(), **self.config_of_parts()}

    def config_of_parts(self):
        """A dict from the names of the parts to what Keras saves of them."""
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.parts}

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` describes, its parts made again."""
        with policy(config.get("dtype")):  # as of a `keras.Sequential` among them, which Keras saves without its own
            parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in cls.parts}
        return cls(**{**config, **parts})


@register
class SpectralNorm(keras.layers.Wrapper):
    """Divides a layer's kernel by an estimate of its largest singular value.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks" (arXiv:1802.05957). A call with
    ``training=True`` makes one step of power iteration; the gradient flows through the kernel and the norm, with the
    singular vectors held fixed, as in the paper. (`keras.layers.SpectralNormalization` overwrites the kernel with
    its normalized value instead.)

    Args:
        layer: a `Dense`, `Conv2D` or `Embedding`, whose first weight is the kernel.
    """

    def build(self, input_shape=None):
        super().build(input_shape)
        kernel = self.layer.weights[0]
        self.singular_vector = self.add_weight(
            name="singular_vector", shape=(kernel.shape[-1],), initializer="random_normal", trainable=False
        )

    def call(self, inputs, training=False):
        kernel = ops.cast(self.layer.weights[0], "float32")  # read once: without a value each reading traces its initializer
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        constant, right = ops.stop_gradient(matrix), ops.cast(self.singular_vector, "float32")
        left = ops.normalize(ops.matmul(constant, right), epsilon=1e-12)
        if training:
            right = ops.normalize(ops.matmul(left, constant), epsilon=1e-12)
            self.singular_vector.assign(right)
        norm = ops.sum(left * ops.matmul(matrix, right))
        return _call_with_kernel(self.layer, kernel / norm, inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


@register
class WeightNorm(keras.layers.Wrapper):
    """Gives each output unit of a layer a weight vector of a length of its own: w = gain * v / ||v||.

    Salimans & Kingma 2016, "Weight normalization" (arXiv:1602.07868). See `initialize_weight_norm` for the first
    gains and biases.

    Args:
        layer: a `Dense` or `Conv2D`, whose first weight is the kernel.
        trainable_gain: learn the gains. The semi-supervised networks of Salimans et al. 2016 (arXiv:1606.03498) leave
            them as they were initialized, but for the last layer's.
    """

    def __init__(self, layer, trainable_gain=False, **kwargs):
        super().__init__(layer, **kwargs)
        self.trainable_gain = trainable_gain

    def build(self, input_shape=None):
        super().build(input_shape)
        units = self.layer.weights[0].shape[-1]
        self.gain = self.add_weight(name="gain", shape=(units,), initializer="ones", trainable=self.trainable_gain)

    def call(self, inputs):
        kernel = ops.cast(self.layer.weights[0], "float32")
        norm = ops.sqrt(ops.sum(ops.square(kernel), axis=tuple(range(len(kernel.shape) - 1))) + 1e-12)
        return _call_with_kernel(self.layer, kernel * (self.gain / norm), inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "trainable_gain": self.trainable_gain}


def initialize_weight_norm(stack, inputs):
    """Sets gains and biases so that every `WeightNorm` layer's outputs have mean 0 and deviation 1 on ``inputs``.

    The data-dependent initialization of Salimans & Kingma 2016, section 3. Other layers are passed as in inference.

    Args:
        stack: a layer, or a `keras.Sequential` of layers.
        inputs: ``(n, ...)`` float32, such as 500 images in ``[-1, 1]``.

    Returns:
        The outputs.
    """
    for layer in stack.layers if isinstance(stack, keras.Sequential) else [stack]:
        outputs = layer(inputs)
        if isinstance(layer, WeightNorm):
            outputs = ops.cast(outputs, "float32")
            axes = tuple(range(len(outputs.shape) - 1))
            mean, scale = ops.mean(outputs, axis=axes), 1.0 / ops.sqrt(ops.var(outputs, axis=axes) + 1e-8)
            layer.gain.assign(layer.gain * scale)
            layer.layer.bias.assign((layer.layer.bias - mean) * scale)
            outputs = (outputs - mean) * scale
        inputs = outputs
    return inputs


@register
class ConditionalBatchNorm(SublayerPolicy, keras.layers.Layer):
    """Batch normalization whose gain and bias are looked up by label.

    Dumoulin et al. 2017 (arXiv:1610.07629), de Vries et al. 2017 (arXiv:1707.00683). Called with ``(inputs, labels)``.

    Args:
        num_classes: the number of labels.
        synchronized: take the batch's moments over all replicas.
    """

    def __init__(self, num_classes, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.synchronized = synchronized

    def build(self, inputs_shape, labels_shape=None):
        channels = inputs_shape[-1]
        self.normalization = batch_norm(synchronized=self.synchronized, center=False, scale=False)
        self.normalization.build(inputs_shape)
        self.gain = keras.layers.Embedding(self.num_classes, channels, embeddings_initializer="ones", name="gain")
        self.bias = keras.layers.Embedding(self.num_classes, channels, embeddings_initializer="zeros", name="bias")
        self.gain.build(labels_shape)
        self.bias.build(labels_shape)

    def call(self, inputs, labels, training=False):
        gain = self.gain(labels)[:, None, None, :]
        bias = self.bias(labels)[:, None, None, :]
        return self.normalization(inputs, training=training) * gain + bias

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "synchronized": self.synchronized}


@register
class GroupedConv(keras.layers.Conv2D):
    """A `keras.layers.Conv2D` whose groups, if they are few, are convolutions of their own: on CPU, TensorFlow 2.21 takes a
    hundred times as long for the gradient of one in 4 groups as of one in a single group."""

    LOOPED = 8

    def call(self, inputs):
        if not 1 < self.groups <= self.LOOPED:
            return super().call(inputs)
        parts = zip(ops.split(inputs, self.groups, axis=-1), ops.split(self.kernel, self.groups, axis=-1), strict=True)
        outputs = ops.concatenate([ops.conv(x, kernel, self.strides, self.padding) for x, kernel in parts], axis=-1)
        return self.activation(outputs + self.bias if self.use_bias else outputs)


@register
class MinibatchDeviation(keras.layers.Layer):
    """Adds a channel with the mean deviation of all features over `GROUP` images that follow one another in the batch.

    Karras et al. 2018 (arXiv:1710.10196), section 3. A batch that is not a multiple of so many gets zeros.
    """

    GROUP = 4

    def call(self, inputs):
        count, (_, height, width, channels) = ops.shape(inputs)[0], inputs.shape
        group = self._group_of(count)
        x = ops.reshape(ops.cast(inputs, "float32"), (-1, group, height * width * channels))
        deviation = ops.mean(ops.sqrt(ops.var(x, axis=1, keepdims=True) + 1e-8), axis=-1, keepdims=True)
        # Added to zeros, it is repeated for each image and position. Under XLA `ops.repeat` has no gradient inside a condition.
        channel = ops.cast(deviation, inputs.dtype) + ops.zeros((1, group, height * width), inputs.dtype)
        return ops.concatenate([inputs, ops.reshape(channel, (count, height, width, 1))], axis=-1)

    def _group_of(self, count):
        """The number of images in a group: a Python integer where the batch size is one, so that XLA knows the shapes."""
        if isinstance(count, int):
            return self.GROUP if count % self.GROUP == 0 else 1
        return ops.where(ops.equal(count % self.GROUP, 0), self.GROUP, 1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)


def upsample(maps):
    """Repeats each position twice in both directions: ``(n, height, width, c)`` -> ``(n, 2 * height, 2 * width, c)``.

    As `keras.layers.UpSampling2D`, in shapes that stay known, which LiteRT wants, and faster.
    """
    _, height, width, channels = maps.shape
    rows = ops.reshape(ops.concatenate([maps, maps], axis=-1), (-1, height, 2 * width * channels))
    return ops.reshape(ops.concatenate([rows, rows], axis=-1), (-1, 2 * height, 2 * width, channels))


def batch_norm(synchronized=False, **kwargs):
    """Batch normalization with the constants usual in GANs: momentum 0.9, epsilon 1e-5."""
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=synchronized, **kwargs)


def normalization(name):
    """A normalization layer by name: ``"batch"``, ``"sync_batch"`` (moments over all replicas), or None."""
    makers = {"None": keras.layers.Identity, "batch": batch_norm, "sync_batch": lambda: batch_norm(synchronized=True)}
    return choose("normalization", str(name), makers)()


def dense(units, spectral_norm=False, **kwargs):
    """A `keras.layers.Dense`, spectrally normalized if asked."""
    return _normalized(keras.layers.Dense(units, **kwargs), spectral_norm)


def conv(filters, kernel_size, spectral_norm=False, **kwargs):
    """A `keras.layers.Conv2D` with "same" padding, spectrally normalized if asked."""
    return _normalized(keras.layers.Conv2D(filters, kernel_size, padding="same", **kwargs), spectral_norm)


def embedding(num_classes, units, spectral_norm=False, **kwargs):
    """A `keras.layers.Embedding`, spectrally normalized if asked."""
    return _normalized(keras.layers.Embedding(num_classes, units, **kwargs), spectral_norm)


def _call_with_kernel(layer, kernel, inputs):
    """A layer's outputs with another kernel in the place of its own; it may be frozen."""
    values, trainable = [kernel, *layer.weights[1:]], len(layer.trainable_variables)
    return layer.stateless_call(values[:trainable], values[trainable:], inputs)[0]


def _normalized(layer, spectral_norm):
    return SpectralNorm(layer, name=layer.name) if spectral_norm else layer
