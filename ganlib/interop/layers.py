"""Assigns the arrays of PyTorch's layers to Keras layers, with their spectral norms and batch statistics."""

import re

import keras
import numpy as np

from ganlib.layers import SpectralNorm
from ganlib.layers.spectral_norm import STORED


def spectral_norm_of(arrays, name):
    """Returns the ``spectral_norm`` argument of the layer ``name``: False, True, or the arguments of `SpectralNorm`.

    PyTorch stores ``weight_orig``, ``weight_u`` and ``weight_v``. The codes of BigGAN and mimicry store ``u0`` or ``sn_u``.
    """
    if f"{name}.weight_u" in arrays:
        return STORED
    return f"{name}.u0" in arrays or f"{name}.sn_u" in arrays


def assign(arrays, layer, name, side=None):
    """Assigns a dense layer, a convolution or an embedding, possibly with spectral normalization.

    Args:
        arrays: A `ganlib.interop.arrays.Arrays`.
        layer: The built Keras layer.
        name: The name of the layer in ``arrays``.
        side: For a dense layer whose outputs become feature maps: their height and width. Defaults to None.

    Raises:
        UserError: If an array is missing or does not fit.
    """
    inner = layer.layer if isinstance(layer, SpectralNorm) else layer
    is_embedding = isinstance(inner, keras.layers.Embedding)
    layout = "same" if is_embedding else "conv" if isinstance(inner, keras.layers.Conv2D) else "dense"
    kernel_name = f"{name}.weight_orig" if f"{name}.weight_orig" in arrays else f"{name}.weight"
    arrays.assign_value(inner.weights[0], as_maps(arrays.take(kernel_name, layout), side), kernel_name)
    if getattr(inner, "use_bias", False):
        arrays.assign_value(inner.bias, as_maps(arrays.take(f"{name}.bias"), side), f"{name}.bias")
    if isinstance(layer, SpectralNorm):
        _assign_singular_vectors(arrays, layer, name, side, is_embedding)


def as_maps(values, side):
    """Converts ``(..., channels * side * side)``, PyTorch's order of feature maps, to ``(..., side * side * channels)``.

    Returns ``values`` unchanged if ``side`` is None, or if they do not fit, which assigning them reports.
    """
    if side is None or not values.ndim or values.shape[-1] % side**2:
        return values
    maps = values.reshape(*values.shape[:-1], -1, side, side)
    return np.moveaxis(maps, -3, -1).reshape(values.shape)


def _assign_singular_vectors(arrays, layer, name, side, is_embedding):
    if layer.form == "stored":
        arrays.assign_value(layer.singular_vector, as_maps(arrays.take(f"{name}.weight_u"), side), f"{name}.weight_u")
        left = arrays.take(f"{name}.weight_v")
        kernel = layer.layer.weights[0]
        if len(kernel.shape) == 4:  # PyTorch's order is (channels, height, width)
            height, width, channels, _ = kernel.shape
            if left.shape == (height * width * channels,):  # otherwise assigning it reports the shape
                left = left.reshape(channels, height, width).transpose(1, 2, 0).ravel()
        arrays.assign_value(layer.left_singular_vector, left, f"{name}.weight_v")
        return
    vector_name = next((n for n in (f"{name}.u0", f"{name}.sn_u") if n in arrays), f"{name}.u0")
    vector = arrays.take(vector_name).ravel()
    if is_embedding:  # the codes store the vector of the other side
        kernel = arrays.take(f"{name}.weight", "rows")
        if len(vector) == len(kernel):  # otherwise assigning it reports the shape
            vector = vector @ kernel
            vector = vector / np.linalg.norm(vector)
    arrays.assign_value(layer.singular_vector, as_maps(vector, side), vector_name)
    arrays.skip(rf"{re.escape(name)}\.(sv0|sn_sigma)")


def assign_batch_norm(arrays, layer, name, gain="weight", bias="bias", mean="running_mean", variance="running_var"):
    """Assigns a Keras batch normalization.

    Args:
        arrays: A `ganlib.interop.arrays.Arrays`.
        layer: The built Keras layer.
        name: The name of the layer in ``arrays``.
        gain: The name of the gains; it is not read if the layer has none. Defaults to ``"weight"``.
        bias: The name of the biases; it is not read if the layer has none. Defaults to ``"bias"``.
        mean: The name of the moving means. Defaults to ``"running_mean"``.
        variance: The name of the moving variances. Defaults to ``"running_var"``.

    Raises:
        UserError: If an array is missing or does not fit.
    """
    if layer.scale:
        arrays.assign(layer.gamma, f"{name}.{gain}")
    if layer.center:
        arrays.assign(layer.beta, f"{name}.{bias}")
    arrays.assign(layer.moving_mean, f"{name}.{mean}")
    arrays.assign(layer.moving_variance, f"{name}.{variance}")
