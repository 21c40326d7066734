"""How a Keras model of images or latents is called: with one input, or with labels as a second one."""

import dataclasses
import inspect

import keras
from keras import ops

from ganlib.errors import UserError
from ganlib.networks import keras_graph
from ganlib.networks.keras_graph import text


@dataclasses.dataclass(frozen=True)
class ModelCall:
    """Calls a Keras model.

    Attributes:
        model: The model.
        example_shape: The shape of one example of the input that takes no labels, or None if it is unknown.
        num_classes: The number of classes, or None if the model takes no labels.
        label_shape: The shape of one label: ``()`` or ``(1,)`` for integers, ``(num_classes,)`` for one-hot labels.
        label_dtype: The dtype of the input that takes labels.
        labels_first: Whether the labels are the first input.
    """

    model: keras.Model
    example_shape: tuple | None
    num_classes: int | None = None
    label_shape: tuple = ()
    label_dtype: str = "int32"
    labels_first: bool = False

    def __call__(self, inputs, labels, training):
        """Calls the model with ``(n, ...)`` inputs and ``(n,)`` integer labels, or None if it takes none."""
        if self.num_classes:
            if self.label_shape == (self.num_classes,) and self.num_classes > 1:
                labels = ops.one_hot(labels, self.num_classes)
            labels = ops.cast(ops.reshape(labels, (-1, *self.label_shape)), self.label_dtype)
        return call(self.model, *self._arguments(inputs, labels), training=training)

    def output_shape(self, example_shape):
        """Returns the shape of the model's output for examples of a shape, a tuple that begins with None."""
        return keras_graph.output_shape(self.model, *self._symbolic(example_shape))

    def final_activation(self, example_shape):
        """Returns the name of the activation at the end, as `ganlib.networks.keras_graph.final_activation` does."""
        return keras_graph.final_activation(self.model, *self._symbolic(example_shape))

    def _symbolic(self, example_shape):
        labels = keras.KerasTensor((None, *self.label_shape), dtype=self.label_dtype)
        return self._arguments(keras.KerasTensor((None, *example_shape)), labels)

    def _arguments(self, inputs, labels):
        """Returns the positional arguments of the model."""
        both = [labels, inputs] if self.labels_first else [inputs, labels]
        arguments = both if self.num_classes else [inputs]
        if keras_graph.is_graph(self.model) and not isinstance(self.model, keras.Sequential):
            return (keras.tree.pack_sequence_as(self.model.input, arguments),)
        return tuple(arguments) if len(_positional(self.model.call)) > 1 or not self.num_classes else (arguments,)


def of(model, role, is_example, example_shape=None, num_classes=None):
    """Finds out how a model is called, and builds a Sequential model.

    Args:
        model: A Keras model.
        role: ``"generator"`` or ``"discriminator"``, for messages.
        is_example: A function that returns True for the shape of an input that cannot take labels.
        example_shape: The shape of one example, for a Sequential model that is not built. Defaults to None.
        num_classes: The number of classes of a conditional model; None takes it from the model. Defaults to None.

    Returns:
        A `ModelCall`.

    Raises:
        UserError: If the inputs are ambiguous, or the number of classes is unknown.
    """
    if keras_graph.uses_channels_first(model):
        raise UserError(f"the {role} has layers with data_format='channels_first': build it with 'channels_last'")
    if isinstance(model, keras.Sequential) and not model.built and model.layers and example_shape is not None:
        keras_graph.build(model, (None, *example_shape))
    shapes = keras_graph.input_shapes(model)
    for shape in shapes:
        if shape[0] is not None:
            raise UserError(
                f"the {role} takes batches of exactly {shape[0]} examples: use keras.Input(shape) without a batch size"
            )
    if not keras_graph.is_graph(model):
        return ModelCall(model, shapes[0][1:] if len(shapes) == 1 else None, num_classes)
    if len(shapes) == 1:
        if num_classes:
            raise UserError(f"num_classes={num_classes} needs a {role} with a second input for the labels, this one has one")
        _check_dtype(model.inputs[0], role)
        return ModelCall(model, shapes[0][1:])
    labels = [index for index, shape in enumerate(shapes) if not is_example(shape)]
    if len(labels) != 1:  # latents and one-hot labels look alike
        labels = [index for index, shape in enumerate(shapes) if num_classes and shape == (None, num_classes)]
    if len(shapes) > 2 or len(labels) != 1:
        raise UserError(
            f"the {role} must have one input, or a second one for labels, got {', '.join(map(text, shapes))}: for one-hot "
            f"labels, pass ganlib.networks.wrapped.{role.capitalize()}(model, num_classes=...)"
        )
    (index,) = labels
    _check_dtype(model.inputs[1 - index], role)
    label_shape = shapes[index][1:]
    num_classes = _number_of_classes(model, role, label_shape, num_classes)
    return ModelCall(model, shapes[1 - index][1:], num_classes, label_shape, model.inputs[index].dtype, index == 0)


def call(layer, *inputs, training):
    """Calls a layer or model, with ``training`` if it takes it."""
    parameters = inspect.signature(layer.call).parameters.values()
    takes_training = any(p.name == "training" or p.kind == inspect.Parameter.VAR_KEYWORD for p in parameters)
    return layer(*inputs, training=training) if takes_training else layer(*inputs)


def _check_dtype(tensor, role):
    """Raises a `UserError` if Keras would convert latents or images to integers."""
    if not keras.backend.is_float_dtype(tensor.dtype):
        raise UserError(
            f"the {role} has an input of dtype {tensor.dtype}, but its inputs are floats, and images are in [-1, 1]: remove "
            f"dtype={tensor.dtype!r} from keras.Input"
        )


def _number_of_classes(model, role, label_shape, num_classes):
    if label_shape not in ((), (1,)):
        found = label_shape[0] if len(label_shape) == 1 else None
    else:
        found = keras_graph.label_classes(model)
    if num_classes and found and num_classes != found:
        raise UserError(f"the {role} takes {found} classes, but num_classes is {num_classes}: make them equal")
    if not (num_classes or found):
        raise UserError(
            f"the number of classes of the {role} is unknown: pass ganlib.networks.wrapped.{role.capitalize()}"
            "(model, num_classes=...)"
        )
    return num_classes or found


def _positional(method):
    """Returns the names of the parameters that a call method takes besides ``training`` and ``mask``."""
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = inspect.signature(method).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.name not in ("training", "mask")]
