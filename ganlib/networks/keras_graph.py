"""Reads Keras models: their inputs and classes, the activation at their end, and the layer before the logits."""

import inspect

import keras
import numpy as np
from keras import ops

from ganlib.errors import UserError

POSITIVE = ("sigmoid", "hardsigmoid", "softmax", "relu", "relu6", "softplus", "exponential")
"""Activations without negative values, in lower case and without underscores."""
BOUNDED = (*POSITIVE, "tanh", "hardtanh", "softsign", "logsigmoid", "logsoftmax")
"""Activations that do not take every value."""
RANGE_KEPT = (
    "reshape", "flatten", "permute", "squeeze", "expanddims", "dropout", "identity", "cropping2d", "upsampling2d", "resizing",
    "globalaveragepooling2d", "averagepooling2d", "mean",
)  # fmt: skip
"""Operations whose results are in the range of their inputs."""


def is_graph(model):
    """Returns True if a model is a functional or built Sequential model, whose layers and inputs are known."""
    return bool(getattr(model, "inputs", None))


def input_shapes(model):
    """Returns the shapes of a model's inputs, each a tuple that begins with None, or an empty list if they are unknown."""
    if is_graph(model):
        return [tuple(tensor.shape) for tensor in model.inputs]
    shape = (model.get_build_config() or {}).get("input_shape") if model.built else None
    return [(None, *shape[1:])] if shape and all(side is None or isinstance(side, int) for side in shape) else []


def build(model, input_shape):
    """Builds a Sequential model for inputs of a shape, a tuple that begins with None.

    Raises:
        UserError: If a layer does not take the output of the layer before it.
    """
    try:
        model.build(input_shape)
    except Exception as error:  # a custom layer can raise any exception
        raise UserError(f"{model.name} cannot be built for inputs of {text(input_shape)}: {_last_line(error)}") from None


def output_shape(model, *inputs):
    """Returns the shape of a model's output for symbolic inputs, a tuple.

    Raises:
        UserError: If the model has several outputs, or cannot be called with these inputs.
    """
    try:
        output = model.compute_output_spec(*inputs)
    except Exception as error:  # a custom model can raise any exception
        shapes = ", ".join(text(tensor.shape) for tensor in keras.tree.flatten(inputs))
        raise UserError(f"{model.name} cannot be called with inputs of {shapes}: {_last_line(error)}") from None
    if not isinstance(output, keras.KerasTensor):
        raise UserError(f"{model.name} must have one output, got {len(keras.tree.flatten(output))}: pass a model with one")
    return tuple(output.shape)


def label_classes(model):
    """Returns the number of classes that the only embedding or encoding of a model takes, or None if there is not exactly one
    such number.
    """
    embeddings = (keras.layers.Embedding, keras.layers.CategoryEncoding)
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, embeddings)]
    numbers = {getattr(layer, "input_dim", None) or layer.num_tokens for layer in layers}
    return numbers.pop() if len(numbers) == 1 else None


def final_activation(model, *inputs):
    """Returns the name of the activation that determines the range of a model's output, in lower case and without underscores,
    or None if there is none.

    Args:
        model: A Keras model.
        *inputs: Symbolic inputs of a subclassed model.
    """
    for operation, _ in _from_the_end(model.outputs[0]) if is_graph(model) else _operations_of_call(model, inputs):
        if isinstance(operation, keras.Model):
            return final_activation(operation)
        activation = getattr(operation, "activation", None)
        name = _plain(getattr(activation, "__name__", "") if activation is not None else type(operation).__name__)
        if name in BOUNDED:
            return name
        if _plain(type(operation).__name__) not in (*RANGE_KEPT, "activation") or name not in ("linear", *RANGE_KEPT):
            return None
    return None


def split(model):
    """Splits a model of one input before its last layer with weights, and returns both parts, which share its layers.

    Returns:
        A tuple of two Keras models, or ``(None, None)`` if nothing comes before that layer, or it has several inputs.
    """
    for operation, tensor in _from_the_end(model.outputs[0]):
        if getattr(operation, "weights", None):
            if tensor is model.inputs[0]:
                break
            return keras.Model(model.inputs[0], tensor, name="body"), keras.Model(tensor, model.outputs[0], name="head")
    return None, None


def uses_channels_first(model):
    """Returns True if a layer of a model expects the channels before the height and the width."""
    return any(getattr(layer, "data_format", None) == "channels_first" for layer in model._flatten_layers())


def layer_for_pixels(model):
    """Returns a layer of a model, or of a model in it, that expects pixels in ``[0, 255]``, or None.

    It is a `keras.layers.Rescaling` that divides them, or a `keras.layers.Normalization` with a mean outside of ``[-1, 1]``.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Rescaling) and np.max(layer.scale) < 0.1:
            return layer
        if isinstance(layer, keras.layers.Normalization) and layer.built and np.max(np.abs(layer.mean)) > 1.0:
            return layer
    return None


def copy_of(model):
    """Returns a model with the same config, whose weights are new. Its classes need not be registered.

    Raises:
        UserError: If Keras cannot create the model from its config.
    """
    try:
        with keras.saving.custom_object_scope(_unregistered(model)):
            if is_graph(model):
                config = keras.saving.serialize_keras_object(model) | {"compile_config": None}
                return keras.saving.deserialize_keras_object(config, safe_mode=False)
            return type(model).from_config(_accepted(type(model), model.get_config()))
    except Exception as error:  # a custom layer can raise any exception
        raise UserError(
            f"{model.name} cannot be copied for the moving average: define get_config() in its custom layers and models "
            f"({_last_line(error)})"
        ) from None


def set_equal(copy, network, inputs):
    """Sets the weights of a copy to those of a network, and checks that both compute the same.

    Args:
        copy: A network from `copy_of`, or around models from it.
        network: The original.
        inputs: A list of arrays, the arguments of a call.

    Raises:
        UserError: If the copy computes other values: Keras does not know every argument of a custom layer or model.
    """
    if [weight.shape for weight in copy.weights] == [weight.shape for weight in network.weights]:
        copy.set_weights(network.get_weights())
        for layer in copy._flatten_layers():
            if hasattr(layer, "finalize_state"):  # `set_weights` leaves the constants of `keras.layers.Normalization`
                layer.finalize_state()
        outputs = [ops.convert_to_numpy(network(*inputs, training=False)) for network in (copy, network)]
        if np.allclose(*outputs, rtol=1e-3, atol=1e-3):
            return
    custom = sorted({type(layer).__name__ for layer in network._flatten_layers() if not _is_known(type(layer))})
    raise UserError(
        f"a copy of {network.name} for the moving average computes other values: define get_config() in "
        f"{', '.join(custom) or 'its layers'} with all arguments of the constructor"
    )


def text(shape):
    """Returns a shape for a message, such as ``(n, 8, 8, 1)``."""
    return "(" + ", ".join("n" if side is None else str(side) for side in shape) + ("," if len(shape) == 1 else "") + ")"


def _is_known(kind):
    """Returns True if a class is one of Keras or ganlib."""
    return kind.__module__.partition(".")[0] in ("keras", "ganlib")


def _unregistered(model):
    """Returns the classes of a model's layers that are not registered for saving, a dict by name."""
    classes = {type(layer) for layer in model._flatten_layers()}
    return {kind.__name__: kind for kind in classes if keras.saving.get_registered_name(kind) == kind.__name__}


def _accepted(kind, config):
    """Returns the entries of a config that the constructor of a class accepts."""
    parameters = inspect.signature(kind.__init__).parameters
    if any(parameter.kind == inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return config
    return {name: value for name, value in config.items() if name in parameters}


def _from_the_end(tensor):
    """Yields pairs of an operation and its input, from the one that returns ``tensor`` back to one with several inputs."""
    history = tensor._keras_history
    while history.operation is not None:  # it is None for an input of a subclassed model
        inputs = history.operation._inbound_nodes[history.node_index].input_tensors
        if len(inputs) != 1:
            return
        yield history.operation, inputs[0]
        history = inputs[0]._keras_history


def _operations_of_call(model, inputs):
    """Returns pairs as `_from_the_end` for a subclassed model. The list is empty if its ``call`` takes no symbolic inputs."""
    try:
        return list(_from_the_end(model.call(*inputs)))
    except Exception:  # a custom model can raise any exception, such as one of TensorFlow for a symbolic input
        return []


def _plain(name):
    return name.replace("_", "").lower()


def _last_line(error):
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else type(error).__name__
