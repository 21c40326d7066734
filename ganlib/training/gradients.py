"""The gradients of a step: of several losses by one pass, of a batch in parts, the same for any number of replicas."""

import math

import tensorflow as tf

from ganlib.errors import UserError


def mean_over_parts(losses_of, updates, batch, random, parts=1, statistics=()):
    """The gradients of the losses of a batch, which goes through the networks in parts, one after the other.

    Their mean is the gradient of the whole batch, where a loss is a mean over examples, in a fraction of the memory. Each part
    finds the statistics as they were before the first, and in the end they are the mean of what the parts left.

    Args:
        losses_of: ``losses_of(*batch, random) -> (losses, logs)``: a loss for each update, and a dict of scalars.
        updates: pairs of a network and its optimizer.
        batch: a tuple of tensors with a row for each example, or None.
        random: a `ganlib.training.RandomStream`.
        parts: how many.
        statistics: floating-point variables that a part may move, such as the running means of batch normalisation.

    Returns:
        A list of gradients for each update, to be summed over replicas as Keras's optimizers do; and the logs.

    Raises:
        UserError: if the parts are not of one size.
    """
    if parts == 1:
        return _of_all(losses_of, updates, batch, random)
    _check_parts(batch, parts)
    sums, before = [], [tf.identity(v.value) for v in statistics]
    for index in range(parts):
        # One after the other, by their inputs alone: where all operations of a part waited, TensorFlow's optimiser of graphs
        # (2.21, dependency_optimization) let some of them read weights after their update.
        with tf.control_dependencies([value for value in sums if value is not None]):
            rows = [None if values is None else tf.identity(tf.split(values, parts)[index]) for values in batch]
            stream = random.part(index, parts)
        results = *_of_all(losses_of, updates, rows, stream), [tf.identity(v.value) for v in statistics]
        _assign(statistics, before)
        added = zip(sums, tf.nest.flatten(results), strict=True)
        sums = [a if a is None else a + b for a, b in added] if sums else tf.nest.flatten(results)
    random.go_on_after(stream)
    means = [value if value is None else value / parts for value in sums]
    found, logs, left = tf.nest.pack_sequence_as(results, means)
    _assign(statistics, left)
    return found, logs


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _of_all(losses_of, updates, batch, random):
    with tf.GradientTape(persistent=len(updates) > 1) as tape:
        losses, logs = losses_of(*batch, random)
        objectives = [_objective(loss, optimizer) for loss, (_, optimizer) in zip(losses, updates, strict=True)]
    gradients = []
    for objective, (network, _) in zip(objectives, updates, strict=True):
        variables = network.trainable_variables
        pairs = zip(tape.gradient(objective, variables), variables, strict=True)
        gradients.append([_whole(gradient, variable) for gradient, variable in pairs])
    return gradients, logs


def _objective(loss, optimizer):
    """``loss`` as it must be differentiated: Keras's optimizers sum gradients over replicas, so the mean over the whole batch
    needs a division; and float16 needs its scale."""
    return optimizer.scale_loss(loss / tf.distribute.get_strategy().num_replicas_in_sync)


def _whole(gradient, variable):
    """A gradient as a full tensor. That of an embedding has a row for each example, often more than there are classes, and
    replicas would gather the rows of all others instead of adding up. The shape is the variable's, which is known: the one that
    the rows carry can come out of a condition, and XLA would then compile each step anew."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])
    return None if gradient is None else tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)


def _check_parts(batch, parts):
    sizes = [values.shape[0] for values in batch if values is not None and values.shape[0] is not None]
    bad = [size for size in sizes if size % parts]
    if bad:
        raise UserError(f"a batch of {bad[0]} examples a replica cannot be cut into accumulation_steps={parts} equal parts")


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
