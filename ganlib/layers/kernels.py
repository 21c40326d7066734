"""Calls a layer with a different kernel."""


def call_with_kernel(layer, kernel, inputs):
    """Returns a layer's outputs, computed with ``kernel`` instead of the layer's kernel.

    This also works for frozen layers.

    Args:
        layer: A built layer whose first weight is its kernel.
        kernel: The kernel to use, of the same shape.
        inputs: The layer's inputs.
    """
    values, trainable = [kernel, *layer.weights[1:]], len(layer.trainable_variables)
    return layer.stateless_call(values[:trainable], values[trainable:], inputs)[0]
