"""The gradients of a step: scaled losses, dense gradients and micro-batches, the same for any number of replicas."""

import math

import tensorflow as tf

from ganlib.errors import UserError


def objective(loss, update):
    """``loss`` as it must be differentiated for ``update``, a pair of a network and its optimizer.

    Keras's optimizers sum gradients over replicas, so the mean over the whole batch needs a division. Float16 needs its scale.
    """
    _, optimizer = update
    return optimizer.scale_loss(loss / tf.distribute.get_strategy().num_replicas_in_sync)


def dense_gradients(tape, objective, update):
    """The gradient of ``objective`` for each trainable variable of the network in ``update``, as a full tensor or None."""
    variables = update[0].trainable_variables
    return [_densify(gradient, v) for gradient, v in zip(tape.gradient(objective, variables), variables, strict=True)]


def _densify(gradient, variable):
    """A gradient as a full tensor.

    The gradient of an embedding has a row for each example, often more rows than there are classes, and replicas would gather
    the rows of all others instead of adding them. The shape is taken from the variable, where it is static. The shape that the
    rows carry can come out of a condition, and XLA would then compile each step anew.
    """
    if isinstance(gradient, tf.IndexedSlices):
        return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])
    return None if gradient is None else tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)


def check_micro_batches(batch, count):
    """Refuses a batch that cannot be cut into ``count`` equal parts.

    Raises:
        UserError: naming both numbers.
    """
    sizes = [values.shape[0] for values in batch if values is not None and values.shape[0] is not None]
    bad = [size for size in sizes if size % count]
    if bad:
        raise UserError(f"a batch of {bad[0]} examples a replica cannot be cut into accumulation_steps={count} equal parts")


def micro_batch(batch, rng, index, count, after):
    """Part ``index`` of ``count`` of a batch, and its random numbers, available only when the tensors ``after`` are.

    The order is enforced by the inputs alone. When all operations of a part waited, TensorFlow's graph optimizer (2.21,
    dependency_optimization) let some of them read weights after their update.
    """
    with tf.control_dependencies([value for value in after if value is not None]):
        rows = [None if values is None else tf.identity(tf.split(values, count)[index]) for values in batch]
        return rows, rng.part(index, count)


def added(sums, values):
    """``sums`` plus ``values``, two lists of tensors or None; ``values`` where ``sums`` is still empty."""
    if not sums:
        return values
    return [a if a is None else a + b for a, b in zip(sums, values, strict=True)]


def assign(variables, values):
    """Assigns a list of values to a list of variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def all_or_none_finite(gradients):
    """Gradients, none of which is finite where any is not, on any replica: Keras's loss scaling (3.15) takes them to be the
    same on all replicas, and each would decide by its own whether to make an update."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients if g is not None])
    share = context.all_reduce("MEAN", tf.cast(finite, tf.float32))
    spoilt = tf.where(share < 1.0, math.nan, 0.0)
    return [None if g is None else g + tf.cast(spoilt, g.dtype) for g in gradients]
