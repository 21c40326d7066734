"""Calling a layer with a kernel other than its own."""


def call_with_kernel(layer, kernel, inputs):
    """Returns a layer's outputs, computed with another kernel in place of its own.

    Works for frozen layers, too.

    Args:
        layer: A built layer whose first weight is its kernel.
        kernel: The kernel to use, of the same shape.
        inputs: The layer's inputs.
    """
    values, trainable = [kernel, *layer.weights[1:]], len(layer.trainable_variables)
    return layer.stateless_call(values[:trainable], values[trainable:], inputs)[0]
