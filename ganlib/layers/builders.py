"""Functions that build dense, convolutional and embedding layers, with spectral normalization if requested."""

import keras

from ganlib.layers.spectral_norm import SpectralNorm


def dense(units, spectral_norm=False, **kwargs):
    """Returns a `keras.layers.Dense`, with spectral normalization if requested.

    Args:
        units: The number of outputs.
        spectral_norm: Whether to wrap the layer in `SpectralNorm`, or a dict of the arguments with which to wrap it, such as
            ``{"form": "stored"}``. Defaults to False.
        **kwargs: Further arguments of the Keras layer.
    """
    return _maybe_spectral_norm(keras.layers.Dense(units, **kwargs), spectral_norm)


def conv(filters, kernel_size, spectral_norm=False, **kwargs):
    """Returns a `keras.layers.Conv2D` with "same" padding, with spectral normalization if requested.

    Args:
        filters: The number of output channels.
        kernel_size: The height and width of the kernel.
        spectral_norm: Whether to wrap the layer in `SpectralNorm`, or a dict of the arguments with which to wrap it, such as
            ``{"form": "stored"}``. Defaults to False.
        **kwargs: Further arguments of the Keras layer.
    """
    return _maybe_spectral_norm(keras.layers.Conv2D(filters, kernel_size, padding="same", **kwargs), spectral_norm)


def embedding(num_classes, units, spectral_norm=False, **kwargs):
    """Returns a `keras.layers.Embedding`, with spectral normalization if requested.

    Args:
        num_classes: The number of classes.
        units: The number of outputs.
        spectral_norm: Whether to wrap the layer in `SpectralNorm`, or a dict of the arguments with which to wrap it, such as
            ``{"form": "stored"}``. Defaults to False.
        **kwargs: Further arguments of the Keras layer.
    """
    return _maybe_spectral_norm(keras.layers.Embedding(num_classes, units, **kwargs), spectral_norm)


def _maybe_spectral_norm(layer, spectral_norm):
    if not spectral_norm:
        return layer
    return SpectralNorm(layer, name=layer.name, **(spectral_norm if hasattr(spectral_norm, "items") else {}))
