"""A convolutional pair for classification with few labels on a CPU: a third of the work of `improved_conv`.

The means are those of Salimans et al. 2016 (arXiv:1606.03498): weight normalisation, leaky ReLU, dropout and features that
are means over positions. The first convolution halves the resolution, since those at full resolution are the dear ones.
"""

import keras

from ganlib.networks import base, layers
from ganlib.networks.improved_conv import STAGES, Generator

__all__ = ["Discriminator", "Generator"]

register = keras.saving.register_keras_serializable("ganlib.small_conv")


@register
class Discriminator(base.Discriminator):
    """Images -> five convolutions -> features (the mean over positions) -> logits.

    Args:
        image_shape: ``(size, size, channels)`` with size 16, 28 or 32.
        width: channels of the first two convolutions; the next two have twice, the last four times as many, and so
            many features there are.
        dropout: the rate after each resolution; on the images it is 0.4 times it.
        num_classes: the number of classes, or None.

    Raises:
        UserError: for an image size that it cannot take.

    Example:
        >>> from ganlib.networks import small_conv
        >>> small_conv.Discriminator((28, 28, 1), width=32).body.output_shape
        (None, 128)
    """

    def __init__(self, image_shape=(28, 28, 1), width=32, dropout=0.5, num_classes=None, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "small_conv")
        self.width, self.dropout = width, dropout
        self.body = keras.Sequential(
            [
                keras.layers.Dropout(0.4 * dropout),
                *_conv(width, 5, strides=2),
                *_conv(width, 3),
                keras.layers.Dropout(dropout),
                *_conv(2 * width, 3, strides=2),
                *_conv(2 * width, 3),
                keras.layers.Dropout(dropout),
                *_conv(4 * width, 3, padding="valid"),
                keras.layers.GlobalAveragePooling2D(),
            ],
            name="body",
        )
        self.build()

    def class_head(self, num_classes):
        """The last layer of a classifier: a dense layer whose gains are learned."""
        return layers.WeightNorm(keras.layers.Dense(num_classes), trainable_gain=True, name="head")

    def get_config(self):
        config = {**super().get_config(), "width": self.width, "dropout": self.dropout}
        del config["spectral_norm"]
        return config


def _conv(filters, kernel_size, strides=1, padding="same"):
    return [layers.WeightNorm(keras.layers.Conv2D(filters, kernel_size, strides, padding)), keras.layers.LeakyReLU(0.2)]
