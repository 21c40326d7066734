"""The function that `fit` calls for each execution: it checks a batch, runs the train step on every replica, and averages logs.

Keras's train function fails with several workers (keras-team/keras#20585) and reports the logs of the first replica.
"""

import math

import tensorflow as tf

from ganlib.errors import UserError
from ganlib.networks import pixels
from ganlib.training import input_checks


def create(model, train_step):
    """Returns ``train_function(iterator) -> logs``, which runs ``steps_per_execution`` steps and averages their logs.

    Args:
        model: A `ganlib.training.DistributedModel`.
        train_step: A function from a batch to a dict of scalars.
    """
    strategy, steps = model.distribute_strategy, model.steps_per_execution
    true, false = tf.constant(True), tf.constant(False)
    if model.jit_compile:
        train_step = tf.function(train_step, jit_compile=True, autograph=False)

    @tf.autograph.experimental.do_not_convert  # as in Keras; tracing is much faster, and errors stay unchanged
    def one_step(iterator, check):
        """Runs a train step on every replica and averages the logs."""
        data = next(iterator) if isinstance(iterator, tf.data.Iterator | tf.distribute.DistributedIterator) else iterator
        data = strategy.run(lambda *args: _checked(model, *args), args=(data, check))
        logs = strategy.run(train_step, args=(data,))
        stacked = strategy.run(lambda values: tf.stack(tf.nest.flatten(values)), args=(logs,))  # for a single reduction
        means = strategy.reduce("MEAN", stacked, axis=None)
        return tf.nest.pack_sequence_as(logs, tf.unstack(means, num=len(logs)))

    def several_steps(iterator, check):
        logs = one_step(iterator, check)
        for _ in tf.range(steps - 1):
            step_logs = one_step(iterator, false)
            logs = {name: logs[name] + step_logs[name] for name in logs}
        return {name: value / steps for name, value in logs.items()}

    execute = one_step if steps == 1 else several_steps
    if not model.run_eagerly:
        execute, one_step = tf.function(execute), tf.function(one_step)

    def train_function(iterator):
        if not isinstance(iterator, tf.data.Iterator | tf.distribute.DistributedIterator):
            return one_step(next(iterator), true)  # a single batch, from `train_on_batch`
        check, model._check_images = model._check_images, False
        try:
            return execute(iterator, true if check else false)
        except tf.errors.OutOfRangeError:
            raise StopIteration from None

    return train_function


def _checked(model, data, is_first):
    """Returns a batch after checking its form and its values.

    No step is counted for a batch that does not exist, as at the end of a dataset of unknown size, or that is invalid. In a
    graph, operations that do not depend on the batch would not wait for it, so the step is made to depend on it.

    Args:
        model: The model in training.
        data: The batch.
        is_first: A scalar boolean, True if images that are probably in the wrong range should cause a warning.
    """
    input_checks.check_form(data, model.form, model._missing_data_message())
    values, parts = [x for x in tf.nest.flatten(data) if x is not None], input_checks.parts_of(data)
    checks = [_range_check(x, is_first, lambda: _remedy(model, len(parts))) for x in values if _is_pixels(x)]
    for (name, (_, num_classes)), x in zip(model.form.items(), parts, strict=False):
        if num_classes:
            checks.append(input_checks.label_check(name, x, num_classes))
    if model.distribute_strategy.num_replicas_in_sync > 1 or model.batch_parts > 1:
        checks.append(_size_check(values[0], model.batch_parts))
    with tf.control_dependencies([*values, *checks]):
        model.step.assign_add(0)  # everything that reads or counts the step runs after this
        labels = {id(x) for (_, (_, classes)), x in zip(model.form.items(), parts, strict=False) if classes}
        return tf.nest.map_structure(lambda x: None if x is None else _converted(x, id(x) in labels), data)


def _converted(x, is_label):
    """Returns one part of a batch as a tensor. Labels that are floating-point numbers become integers."""
    x = tf.identity(x)
    return tf.cast(x, tf.int64) if is_label and x.dtype.is_floating else x


def _is_pixels(x):
    """Returns True if ``x`` is a batch of images that are not uint8."""
    return tf.TensorShape(x.shape).rank == 4 and tf.as_dtype(x.dtype) != tf.uint8


def _range_check(images, is_first, remedy):
    """Returns an operation that checks the range of a batch of images. ``remedy`` returns the advice for its message."""
    low, high = (tf.cast(reduce(images), tf.float32) for reduce in (tf.reduce_min, tf.reduce_max))
    is_floating = tf.as_dtype(images.dtype).is_floating
    if is_floating:
        has_nan = tf.reduce_any(tf.math.is_nan(images))
        low, high = (tf.where(has_nan, math.nan, x) for x in (low, high))

    def check(low, high):
        pixels.check_range(low, high, not is_floating, remedy())
        return True

    lower, upper = pixels.limits(are_integers=not is_floating)
    is_valid = (low >= lower) & (high <= upper)  # False for NaN
    return tf.cond(is_valid & ~is_first, lambda: True, lambda: tf.numpy_function(check, [low, high], tf.bool))


def _remedy(model, parts):
    """Returns the code that converts pixels in ``[0, 255]`` in the format that the model trains on."""
    return pixels.conversion_of_dataset(parts) if model._trains_on_dataset else "images / 127.5 - 1.0"


def _size_check(images, parts):
    """Returns an operation that checks that each part of a replica's batch has an image. The means of an empty part are NaN."""

    def refuse():
        users = f"the {parts} parts into which each replica splits it" if parts > 1 else "there are replicas"
        raise UserError(
            f"a batch has fewer images than {users}: drop the last, incomplete batch, as in dataset.batch(batch_size, "
            "drop_remainder=True)"
        )

    return tf.cond(tf.shape(images)[0] >= parts, lambda: True, lambda: tf.numpy_function(refuse, [], tf.bool))
