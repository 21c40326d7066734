"""The gradients of a train step: scaled losses, dense gradients and micro-batches, equal for any number of replicas."""

import math

import tensorflow as tf

from ganlib.errors import UserError


def objective(loss, update):
    """Returns the scaled ``loss`` to differentiate for ``update``, a pair of a network and its optimizer.

    Keras's optimizers sum gradients over replicas, so the loss is divided by the number of replicas to get the mean over the
    global batch. With float16, the loss is also multiplied by the loss scale.
    """
    _, optimizer = update
    return optimizer.scale_loss(loss / tf.distribute.get_strategy().num_replicas_in_sync)


def regularization(network):
    """Returns the sum of the regularizers of a network's weights, such as ``kernel_regularizer`` of its layers, a scalar.

    Raises:
        UserError: If the last call of a layer has added a loss to the network. The train step calls a discriminator several
            times, and Keras keeps the losses of the last call only.
    """
    terms = [variable.regularizer(variable) for variable in network.trainable_variables if variable.regularizer is not None]
    if len(network.losses) > len(terms):
        raise UserError(
            f"a layer of {network.name} has an activity_regularizer or calls add_loss, which the train step does not use: "
            "remove it, or write it as a penalty"
        )
    return sum(terms, 0.0)


def dense_gradients(tape, objective, update):
    """Computes the gradient of ``objective`` for each trainable variable of the network in ``update``, dense or None."""
    variables = update[0].trainable_variables
    return [_densify(gradient, v) for gradient, v in zip(tape.gradient(objective, variables), variables, strict=True)]


def _densify(gradient, variable):
    """Converts a gradient to a dense tensor.

    The sparse gradient of an embedding has a row for each example, often more rows than there are classes, and replicas would
    gather the rows of all other replicas instead of adding them. The shape is that of the variable, which is static. The shape
    of the sparse gradient can depend on a condition, and XLA would then recompile every step.
    """
    if isinstance(gradient, tf.IndexedSlices):
        return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])
    return None if gradient is None else tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)


def check_micro_batches(batch, count):
    """Checks that a batch can be split into ``count`` micro-batches of equal size.

    Raises:
        UserError: If it cannot. The message has both numbers.
    """
    sizes = [values.shape[0] for values in batch if values is not None and values.shape[0] is not None]
    indivisible = [size for size in sizes if size % count]
    if indivisible:
        raise UserError(
            f"a batch of {indivisible[0]} examples per replica cannot be split into accumulation_steps={count} equal parts: "
            "change one of them"
        )


def micro_batch(batch, rng, index, count, after):
    """Returns part ``index`` of ``count`` of a batch and its random stream, available only after the tensors ``after``.

    Only the inputs depend on ``after``. If all operations of a part depended on it, TensorFlow's graph optimizer (2.21,
    dependency_optimization) would let some of them read weights after their update.
    """
    with tf.control_dependencies([value for value in after if value is not None]):
        rows = [None if values is None else tf.identity(tf.split(values, count)[index]) for values in batch]
        return rows, rng.part(index, count)


def added(sums, values):
    """Adds two lists of tensors or None elementwise. Returns ``values`` if ``sums`` is empty."""
    if not sums:
        return values
    return [a if a is None else a + b for a, b in zip(sums, values, strict=True)]


def assign(variables, values):
    """Assigns a list of values to a list of variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def with_zeros(gradients, variables):
    """Replaces missing gradients by zeros, so that an optimizer updates every variable."""
    return [tf.zeros_like(v.value) if g is None else g for g, v in zip(gradients, variables, strict=True)]


def apply_if(condition, variables, apply):
    """Calls ``apply()``, and keeps its changes only if a condition is True.

    Args:
        condition: A scalar boolean.
        variables: The list of variables that ``apply`` changes.
        apply: A function without arguments.
    """
    if not tf.distribute.has_strategy():
        tf.cond(condition, lambda: (apply(), True)[1], lambda: True)
        return
    # Optimizers update the replicas together, which TensorFlow does not support inside a condition.
    previous = [tf.identity(v.value) for v in variables]
    apply()
    assign(variables, [tf.where(condition, v.value, old) for v, old in zip(variables, previous, strict=True)])


def all_or_none_finite(gradients):
    """Makes all gradients NaN on all replicas if any gradient is not finite on any replica.

    Keras's loss scaling (3.15) assumes that gradients are equal on all replicas. Otherwise each replica would decide by its
    local gradients whether to update.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients if g is not None])
    finite_replicas = context.all_reduce("MEAN", tf.cast(finite, tf.float32))
    offset = tf.where(finite_replicas < 1.0, math.nan, 0.0)
    return [None if g is None else g + tf.cast(offset, g.dtype) for g in gradients]
