"""Any Keras model as a generator, a discriminator or a classifier. The models of ganlib wrap Keras models automatically.

The dimension of the latents, the shape of the images and the classes are those of the Keras model's inputs and output. A model
with two inputs is conditional: one of them takes labels.
"""

import math

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, integer
from ganlib.networks import base, keras_call, keras_graph
from ganlib.networks.classifier import Classifier
from ganlib.networks.keras_graph import text

register = keras.saving.register_keras_serializable("ganlib.wrapped")


class _Wrapped(layers.Composed):
    """A mixin for a network around a Keras model."""

    parts = ("model",)

    def copy(self):
        """Returns the same network around a copy of the model, with the same weights.

        Raises:
            UserError: If the copy computes other values: Keras does not know every argument of a subclassed model.
        """
        config = {name: value for name, value in self.get_config().items() if name not in self.parts}
        copy = type(self)(keras_graph.copy_of(self.model), **config)
        inputs = [np.random.default_rng(0).normal(size=(2, *self._example_shape())).astype(np.float32)]
        inputs += [np.zeros(2, np.int64)] if self.num_classes else []
        keras_graph.set_equal(copy, self, inputs)
        return copy


@register
class Generator(_Wrapped, base.Generator):
    """A Keras model as a generator.

    Args:
        model: A Keras model from ``(n, latent_dim)`` latents, and labels if it is conditional, to ``(n, height, width,
            channels)`` images in ``[-1, 1]``. Labels are ``(n,)`` or ``(n, 1)`` integers, or ``(n, num_classes)`` one-hot.
        latent_dim: The dimension of the latents. Defaults to None, which takes it from the input of the model. A subclassed
            model that is not built needs it.
        num_classes: The number of classes of a conditional model. Defaults to None, which takes it from the model's embedding
            of the labels. One-hot labels and a subclassed conditional model need it.

    Raises:
        UserError: If the model does not take latents, does not return images, or a number is unknown.

    Attributes:
        model: The Keras model.

    Examples:
        >>> import keras
        >>> from ganlib.networks import wrapped
        >>> model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(64, "tanh"), keras.layers.Reshape((8, 8, 1))])
        >>> generator = wrapped.Generator(model)
        >>> generator.latent_dim, generator.image_shape
        (16, (8, 8, 1))
    """

    def __init__(self, model, latent_dim=None, num_classes=None, **kwargs):
        known = None if latent_dim is None else (latent_dim,)
        call = keras_call.of(model, "generator", lambda shape: len(shape) == 2 and shape[1] != 1, known, num_classes)
        latent_dim = _latent_dim(call.example_shape, latent_dim)
        image_shape = call.output_shape((latent_dim,))
        if len(image_shape) != 4 or None in image_shape[1:]:
            raise UserError(
                f"the generator must return images of shape (n, height, width, channels), got {text(image_shape)}: end it "
                "with a layer that returns them, such as keras.layers.Reshape"
            )
        _check_activation(
            call.final_activation((latent_dim,)), keras_graph.POSITIVE,
            "the generator ends with {}, whose images have no negative values: images of ganlib "
            "are in [-1, 1], so end it with activation='tanh'"
        )  # fmt: skip
        super().__init__(image_shape[1:], latent_dim, call.num_classes, **{"dtype": model.dtype_policy, **kwargs})
        self.model, self._call = model, call
        self.build()

    def call(self, latents, labels=None, training=False):
        return ops.cast(self._call(latents, labels, training), "float32")

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name != "image_shape"}


@register
class Discriminator(_Wrapped, base.Discriminator):
    """A Keras model as a discriminator.

    The features of an unconditional Sequential or functional model are the input of its last layer with weights. Other models
    have no features, so they cannot be the discriminator of a semi-supervised GAN.

    Args:
        model: A Keras model from ``(n, height, width, channels)`` images in ``[-1, 1]``, and labels if it is conditional, to
            logits: ``(n,)``, ``(n, 1)``, or ``(n, h, w, 1)`` for patches. Labels are as in `Generator`.
        image_shape: ``(height, width, channels)``. Defaults to None, which takes it from the input of the model.
        num_classes: As in `Generator`. Defaults to None.

    Raises:
        UserError: If the model does not take images, does not return logits, or a number is unknown.

    Attributes:
        model: The Keras model.
    """

    def __init__(self, model, image_shape=None, num_classes=None, **kwargs):
        call = keras_call.of(model, "discriminator", lambda shape: len(shape) == 4, image_shape, num_classes)
        image_shape = _image_shape(call.example_shape, image_shape)
        logits_shape = call.output_shape(image_shape)
        if len(logits_shape) not in (1, 2, 4) or (len(logits_shape) > 1 and logits_shape[-1] != 1):
            raise UserError(
                f"the discriminator must return logits of shape (n, 1), or (n, h, w, 1) for patches, got {text(logits_shape)}: "
                "end it with keras.layers.Dense(1)"
            )
        _check_logits(call, image_shape, "discriminator")
        super().__init__(image_shape, call.num_classes, **{"dtype": model.dtype_policy, **kwargs})
        self.conditioning = "keras model"
        self.patchwise = len(logits_shape) == 4
        self._logits_shape = (-1, math.prod(logits_shape[1:3])) if self.patchwise else (-1,)
        self.model, self._call = model, call
        if keras_graph.is_graph(model) and not call.num_classes:
            self.body, self.head = keras_graph.split(model)
        self.build()

    def build(self, input_shape=None):
        super(base.Discriminator, self).build()  # without the heads of ganlib's networks

    def features(self, images, training=False):
        """Computes features: ``(n, *image_shape)`` float images in ``[-1, 1]`` -> ``(n, ...)``. They are the images if the
        model has no features.
        """
        return images if self.body is None else keras_call.call(self.body, images, training=training)

    def logits(self, features, labels=None, training=False):
        """Computes logits: ``(n, ...)`` features and ``(n,)`` labels -> ``(n,)`` float32, or ``(n, patches)``."""
        if self.body is None:
            logits = self._call(features, labels, training)
        else:
            logits = keras_call.call(self.head, features, training=training)
        return ops.cast(ops.reshape(logits, self._logits_shape), "float32")

    def get_config(self):
        config, own = super().get_config(), ("spectral_norm", "conditioning", "rotations")
        return {name: value for name, value in config.items() if name not in own}


def classifier(model):
    """Returns a `ganlib.Classifier` that shares the layers of a Keras model.

    Args:
        model: A Sequential or functional model from ``(n, height, width, channels)`` images in ``[-1, 1]`` to ``(n,
            num_classes)`` class logits, so its last layer has no softmax. A `ganlib.Classifier` is returned unchanged.

    Raises:
        UserError: If the model does not take images, or does not return class logits.
    """
    if isinstance(model, Classifier):
        return model
    if not _is_plain(model):
        raise UserError(f"the classifier must be a ganlib.Classifier or a Keras model, got {described(model)}")
    call = keras_call.of(model, "classifier", lambda shape: len(shape) == 4)
    image_shape = _image_shape(call.example_shape, None, "classifier")
    logits_shape = call.output_shape(image_shape)
    if len(logits_shape) != 2 or (logits_shape[1] or 1) < 2:
        raise UserError(
            f"the classifier must return class logits of shape (n, num_classes), got {text(logits_shape)}: end it with "
            "keras.layers.Dense(num_classes)"
        )
    _check_logits(call, image_shape, "classifier")
    body, head = keras_graph.split(model) if keras_graph.is_graph(model) else (None, None)
    if body is None:
        raise UserError(
            f"ganlib finds no layer before the logits in {model.name}: pass a Sequential or functional model with a last layer "
            "such as keras.layers.Dense(num_classes)"
        )
    return Classifier(body, image_shape, logits_shape[1], head, dtype=model.dtype_policy)


def pair(generator, discriminator):
    """Wraps a generator and a discriminator that are plain Keras models. Each is built from what the other one says.

    Args:
        generator: A Keras model, or a `ganlib.networks.Generator`, which is returned unchanged.
        discriminator: A Keras model, or a `ganlib.networks.Discriminator`, which is returned unchanged.

    Returns:
        A tuple of both networks. What is not a Keras model is returned unchanged.

    Raises:
        UserError: As for `Generator` and `Discriminator`.
    """
    if _is_plain(discriminator) and [len(shape) for shape in keras_graph.input_shapes(discriminator)] == [2]:
        raise UserError(
            f"the discriminator must take images, got inputs of {text(keras_graph.input_shapes(discriminator)[0])}: are the "
            "generator and the discriminator exchanged?"
        )
    if _is_plain(generator):
        generator = Generator(generator, num_classes=_classes_from(discriminator, generator))
    if _is_plain(discriminator):
        known = keras_graph.input_shapes(discriminator)
        is_known = known and all(None not in shape[1:] for shape in known)
        shape = None if is_known else getattr(generator, "image_shape", None)
        discriminator = Discriminator(discriminator, shape, _classes_from(generator, discriminator))
    return generator, discriminator


def _is_plain(network):
    return isinstance(network, keras.Model) and not isinstance(network, (base.Generator, base.Discriminator))


def described(value):
    """Returns what a value is, for a message: the name of its class, and for a class itself the advice to call it."""
    return f"the class {value.__name__}: call it" if isinstance(value, type) else f"a {type(value).__name__}"


def _classes_from(other, model):
    """Returns the number of classes of the other network if a model with two inputs does not say its own."""
    if len(keras_graph.input_shapes(model)) < 2 or keras_graph.label_classes(model):
        return None
    if not _is_plain(other):
        return getattr(other, "num_classes", None)
    one_hot = [shape[1] for shape in keras_graph.input_shapes(other) if len(shape) == 2 and shape[1] != 1]
    return keras_graph.label_classes(other) or (one_hot[0] if len(one_hot) == 1 else None)


def _latent_dim(shape, latent_dim):
    if shape is not None and len(shape) != 1:
        raise UserError(
            f"the generator must take latents of shape (n, latent_dim), got {text((None, *shape))}: are the generator and the "
            "discriminator exchanged?"
        )
    latent_dim = shape[0] if shape and latent_dim is None else latent_dim
    if latent_dim is None:
        raise UserError(
            "the dimension of the latents is unknown: begin the generator with keras.Input((latent_dim,)), or pass "
            "ganlib.networks.wrapped.Generator(model, latent_dim=...)"
        )
    if shape and shape[0] != integer("latent_dim", latent_dim, 1):
        raise UserError(f"the generator takes latents of dimension {shape[0]}, but latent_dim is {latent_dim}: make them equal")
    return latent_dim


def _image_shape(shape, image_shape, role="discriminator"):
    known = [side for side in shape or () if side is not None]
    if shape is not None and len(shape) != 3:
        raise UserError(
            f"the {role} must take images of shape (n, height, width, channels), got {text((None, *shape))}: begin it with "
            "keras.Input((height, width, channels))"
        )
    if image_shape is None and len(known) < 3:
        raise UserError(
            f"the shape of the images of the {role} is unknown: begin it with keras.Input((height, width, channels))"
        )
    return tuple(shape if image_shape is None else image_shape)


def _check_logits(call, image_shape, role):
    """Raises a `UserError` if a model's outputs cannot be logits, or it takes pixels in ``[0, 255]``."""
    _check_activation(
        call.final_activation(image_shape), keras_graph.BOUNDED,
        f"the {role} ends with {{}}, but the losses of ganlib take logits: remove this activation",
    )  # fmt: skip
    layer = keras_graph.layer_for_pixels(call.model)
    if layer is not None:
        settings = f"scale={np.max(layer.scale):.4g}" if hasattr(layer, "scale") else f"mean={np.max(np.abs(layer.mean)):.4g}"
        raise UserError(
            f"the {role} contains {type(layer).__name__}({settings}) for pixels in [0, 255], but it gets images in [-1, 1]: "
            "remove this layer, or adapt it to such images"
        )


def _check_activation(name, refused, message):
    """Raises a `UserError` with a message, in which ``{}`` is the activation, if a model ends with one of ``refused``."""
    if name in refused:
        raise UserError(message.format(name))
