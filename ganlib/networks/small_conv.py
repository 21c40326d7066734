"""A convolutional pair for classification with few labels on a CPU: a third of the work of `improved_conv`.

The means are those of Salimans et al. 2016 (arXiv:1606.03498): weight normalisation, leaky ReLU, dropout and features that
are means over positions. The first convolution halves the resolution, since those at full resolution are the dear ones.
"""

import keras

from ganlib.networks import improved_conv
from ganlib.networks.improved_conv import Generator

__all__ = ["Discriminator", "Generator"]


@keras.saving.register_keras_serializable("ganlib.small_conv")
class Discriminator(improved_conv.Discriminator):
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

    architecture = "small_conv"

    def __init__(self, image_shape=(28, 28, 1), width=32, dropout=0.5, num_classes=None, **kwargs):
        super().__init__(image_shape, width, dropout, num_classes, **kwargs)

    def _convolutions(self, width, dropout):
        return [
            *self._conv(width, 5, strides=2),
            *self._conv(width, 3),
            keras.layers.Dropout(dropout),
            *self._conv(2 * width, 3, strides=2),
            *self._conv(2 * width, 3),
            keras.layers.Dropout(dropout),
            *self._conv(4 * width, 3, padding="valid"),
        ]
