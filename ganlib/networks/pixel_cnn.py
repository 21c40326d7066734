"""PixelCNN++, a model of the density of images: Salimans et al. 2017 (arXiv:1701.05517), after van den Oord et al. 2016.

Bad GAN (Dai et al. 2017, arXiv:1705.09783) uses it on MNIST. It predicts each pixel from the pixels above it and to its left.
One stream of feature maps sees all rows above a pixel, and the other also the pixels to the left in its row.
"""

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, integer
from ganlib.layers import logistic_mixture
from ganlib.layers.dtype_policy import SublayerPolicy

register = keras.saving.register_keras_serializable("ganlib.pixel_cnn")

ABOVE, LEFT = (2, 3), (2, 2)
"""The kernels of the two streams. That of the rows above is centered, and that of the pixels to the left ends at the pixel."""


@register
class PixelCNN(SublayerPolicy, keras.Model):
    """Images -> the parameters of the distribution of each pixel, given the pixels above it and to its left.

    The defaults are those of Bad GAN's code for MNIST. Every layer is weight-normalized, as in PixelCNN++'s code.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**(resolutions - 1)``. Defaults to
            ``(28, 28, 1)``.
        width: The number of channels of each stream. Defaults to 160.
        blocks: The number of gated blocks at each resolution, on the way down and on the way up again. Defaults to 3.
        resolutions: The number of resolutions, each half the previous one. Defaults to 2.
        mixtures: The number of components of the mixture of logistic distributions. Defaults to 10.
        dropout: The dropout rate in each block. Defaults to 0.0.

    Raises:
        UserError: If a number is below 1, or the sides cannot be halved often enough.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import pixel_cnn
        >>> density = pixel_cnn.PixelCNN((8, 8, 1), width=4, blocks=1, mixtures=2)
        >>> density.log_likelihood(np.zeros((3, 8, 8, 1), "float32")).shape
        TensorShape([3])
    """

    def __init__(self, image_shape=(28, 28, 1), width=160, blocks=3, resolutions=2, mixtures=10, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        numbers = {"width": width, "blocks": blocks, "resolutions": resolutions, "mixtures": mixtures}
        self.width, self.blocks, self.resolutions, self.mixtures = (integer(name, n, 1) for name, n in numbers.items())
        self.image_shape, self.dropout = tuple(image_shape), dropout
        height, width_of_image, channels = self.image_shape
        unit = 2 ** (resolutions - 1)
        if height % unit or width_of_image % unit:
            raise UserError(
                f"pixel_cnn with resolutions={resolutions} needs sides that are multiples of {unit}, got images of "
                f"{height}x{width_of_image}: decrease resolutions"
            )
        self.above = CausalConv(width, (2, 3), centered=True)
        self.row_above, self.row_left = CausalConv(width, (1, 3), centered=True), CausalConv(width, (2, 1))
        self.down = [[GatedBlocks(width, dropout) for _ in range(blocks)] for _ in range(resolutions)]
        self.halve = [Resampling(width, CausalConv) for _ in range(resolutions - 1)]
        self.up = [
            [GatedBlocks(width, dropout, with_skips=True) for _ in range(blocks + (stage > 0))] for stage in range(resolutions)
        ]
        self.double = [Resampling(width, CausalUpsampling) for _ in range(resolutions - 1)]
        self.last = _pointwise(logistic_mixture.num_parameters(channels, mixtures))
        self.build()

    def build(self, input_shape=None):
        self.compute_output_spec(keras.KerasTensor((None, *self.image_shape)))

    def call(self, images, training=False):
        """Computes the parameters: ``(n, *image_shape)`` images in ``[-1, 1]`` -> ``(n, height, width, k)``.

        k is `ganlib.layers.logistic_mixture.num_parameters`.
        """
        images = ops.cast(images, self.compute_dtype)
        inputs = ops.concatenate([images, ops.ones_like(images[..., :1])], axis=-1)  # ones distinguish black from the border
        streams = (
            _shifted(self.above(inputs), 1, 0),
            _shifted(self.row_above(inputs), 1, 0) + _shifted(self.row_left(inputs), 0, 1),
        )
        skips = [streams]
        for stage, blocks in enumerate(self.down):
            if stage:
                streams = self.halve[stage - 1](streams)
                skips.append(streams)
            for block in blocks:
                streams = block(streams, training=training)
                skips.append(streams)
        skips.pop()
        for stage, blocks in enumerate(self.up):
            if stage:
                streams = self.double[stage - 1](streams)
            for block in blocks:
                streams = block(streams, skips.pop(), training=training)
        return self.last(ops.elu(streams[1]))

    def log_likelihood(self, images, training=False):
        """Computes the log-densities of images: ``(n, *image_shape)`` in ``[-1, 1]`` -> ``(n,)`` float32, in nats."""
        return logistic_mixture.log_likelihood(images, self(images, training=training))

    def initialize(self, images):
        """Runs the data-dependent initialization of all layers: see `ganlib.layers.initialize_in_call`.

        Args:
            images: ``(n, *image_shape)`` float images in ``[-1, 1]``.
        """
        layers.initialize_in_call(self, images)

    def get_config(self):
        names = ("image_shape", "width", "blocks", "resolutions", "mixtures", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class _Layer(SublayerPolicy, keras.layers.Layer):
    """A layer whose sublayers are built when they are called. Without a ``build``, Keras would trace each call once more."""

    def build(self, input_shape):
        pass


class CausalConv(_Layer):
    """A convolution whose outputs depend on no later row, and on no later pixel of their row unless it is centered.

    Args:
        filters: The number of output channels.
        kernel_size: ``(height, width)``. The last row of the kernel is that of the output.
        centered: Whether the kernel is centered horizontally. Otherwise its last column is that of the output. Defaults to
            False.
        strides: The step between outputs. Defaults to 1.
        init_std: The initial standard deviation of the outputs: see `ganlib.layers.WeightNorm`. Defaults to 1.0.
    """

    def __init__(self, filters, kernel_size, centered=False, strides=1, init_std=1.0, **kwargs):
        super().__init__(**kwargs)
        height, width = kernel_size
        self.padding = (height - 1, 0), ((width - 1) // 2,) * 2 if centered else (width - 1, 0)
        convolution = keras.layers.Conv2D(filters, kernel_size, strides, kernel_initializer=_initializer())
        self.convolution = layers.WeightNorm(convolution, trainable_gain=True, init_std=init_std)

    def call(self, x):
        return self.convolution(ops.pad(x, ((0, 0), *self.padding, (0, 0))))


class CausalUpsampling(_Layer):
    """The transpose of a `CausalConv` with strides of 2, with the same arguments. It doubles the resolution."""

    def __init__(self, filters, kernel_size, centered=False, strides=2, **kwargs):
        super().__init__(**kwargs)
        self.first_column = (kernel_size[1] - 1) // 2 if centered else 0
        convolution = keras.layers.Conv2DTranspose(filters, kernel_size, strides, kernel_initializer=_initializer())
        self.convolution = layers.WeightNorm(convolution, trainable_gain=True)

    def call(self, x):
        _, height, width, _ = x.shape
        return self.convolution(x)[:, : 2 * height, self.first_column : self.first_column + 2 * width]


class Resampling(_Layer):
    """Halves or doubles the resolution of both streams.

    Args:
        filters: The number of output channels.
        kind: `CausalConv` or `CausalUpsampling`.
    """

    def __init__(self, filters, kind, **kwargs):
        super().__init__(**kwargs)
        self.above, self.left = kind(filters, ABOVE, centered=True, strides=2), kind(filters, LEFT, strides=2)

    def call(self, streams):
        above, left = streams
        return self.above(above), self.left(left)


class GatedBlocks(_Layer):
    """A gated residual block of each stream. That of the pixels to the left also gets the stream of the rows above.

    Args:
        filters: The number of channels.
        dropout: The dropout rate.
        with_skips: Whether the blocks also get earlier maps of both streams. Defaults to False.
    """

    def __init__(self, filters, dropout, with_skips=False, **kwargs):
        super().__init__(**kwargs)
        self.above, self.left = GatedBlock(filters, ABOVE, dropout, with_skips), GatedBlock(filters, LEFT, dropout, True)

    def build(self, streams_shape, skips_shape=None):
        pass

    def call(self, streams, skips=None, training=False):
        above, left = streams
        above = self.above(above, skips and skips[0], training=training)
        others = ops.concatenate([above, skips[1]], axis=-1) if skips else above
        return above, self.left(left, others, training=training)


class GatedBlock(_Layer):
    """x + a * sigmoid(b), where a and b are the halves of two convolutions of x and of other maps.

    Args:
        filters: The number of channels.
        kernel_size: `ABOVE` or `LEFT`.
        dropout: The dropout rate.
        with_others: Whether there are other maps.
    """

    def __init__(self, filters, kernel_size, dropout, with_others, **kwargs):
        super().__init__(**kwargs)
        centered = kernel_size == ABOVE
        self.first = CausalConv(filters, kernel_size, centered)
        self.of_others = _pointwise(filters) if with_others else None
        self.dropout = keras.layers.Dropout(dropout)
        self.second = CausalConv(2 * filters, kernel_size, centered, init_std=0.1)

    def build(self, x_shape, others_shape=None):
        pass

    def call(self, x, others=None, training=False):
        hidden = self.first(_concatenated_elu(x))
        if others is not None:
            hidden = hidden + self.of_others(_concatenated_elu(others))
        hidden = self.dropout(_concatenated_elu(hidden), training=training)
        values, gates = ops.split(self.second(hidden), 2, axis=-1)
        return x + values * ops.sigmoid(gates)


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.05)


def _pointwise(filters):
    return layers.WeightNorm(keras.layers.Conv2D(filters, 1, kernel_initializer=_initializer()), trainable_gain=True)


def _concatenated_elu(x):
    return ops.elu(ops.concatenate([x, -x], axis=-1))


def _shifted(x, rows, columns):
    """Moves maps down and to the right, so that each position gets those of an earlier one."""
    _, height, width, _ = x.shape
    return ops.pad(x, ((0, 0), (rows, 0), (columns, 0), (0, 0)))[:, :height, :width]
