"""The `tf.distribute` strategy of a job: the devices and workers that it trains on."""

import os

import tensorflow as tf

from ganlib.errors import UserError, choose, first_line


def create(name="auto", replicas=0):
    """Creates the strategy to train under. Call it before any other use of TensorFlow.

    Args:
        name: ``"one_device"``; ``"mirrored"``, every GPU of this machine; ``"multi_worker"``, every GPU of every worker in
            the environment variable TF_CONFIG; ``"tpu"``, the TPU of the environment; or ``"auto"``. ``"auto"``
            selects one of the first three by the available devices, and ``"mirrored"`` also if several replicas are
            requested. Defaults to ``"auto"``.
        replicas: For ``"mirrored"`` and ``"auto"``, the number of GPUs. On a machine without GPUs, the number of virtual CPU
            devices, to try out distributed training. Defaults to 0, which uses all GPUs.

    Returns:
        A `tf.distribute.Strategy`. A model created inside its ``scope()`` trains on its devices.

    Raises:
        UserError: If the name is unknown, a device is missing, or several replicas are requested from a strategy that uses
            a fixed set of devices.
    """
    return choose("strategy", name, STRATEGIES)(replicas)


def is_chief(strategy):
    """Returns True if this process writes the files, which one of the strategy's workers does. A single process does too."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)


def _workers():
    """Returns the addresses of the workers in TF_CONFIG, or an empty list if it is not set."""
    try:
        cluster = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec().as_dict()
    except ValueError as error:
        raise UserError(
            f"TF_CONFIG is {os.environ.get('TF_CONFIG')!r}, which cannot be parsed ({error}): set it to valid JSON"
        ) from None
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def mean_over_workers(strategy):
    """Returns a function that computes the mean of each number in a list over all workers. All workers must call it."""

    @tf.function
    def mean(values):
        return strategy.reduce("MEAN", strategy.run(tf.identity, (values,)), axis=None)

    return lambda numbers: mean(tf.constant(numbers, tf.float64)).numpy().tolist()


def check_same(strategy, what, number):
    """Waits for all workers and checks that an integer is the same for all of them.

    Args:
        strategy: A `tf.distribute.Strategy`.
        what: A description of the number, for the error message.
        number: An integer.

    Raises:
        UserError: If the integer differs between workers.
    """
    mean, mean_of_squares = mean_over_workers(strategy)([number, number * number])
    if mean_of_squares != mean * mean:
        raise UserError(
            f"{what} is {number} for this worker, but not for all workers: pass all workers the same --workdir, in a file "
            "system that they share"
        )


def check_shares(strategy, dataset, parts=1):
    """Checks that every batch can be divided equally among the replicas, and each share into equal parts.

    Args:
        strategy: A `tf.distribute.Strategy`.
        dataset: A `tf.data.Dataset` with batches of a fixed size.
        parts: The number of parts that each share is divided into. Defaults to 1.

    Raises:
        UserError: If the batch size is not divisible.
    """
    replicas, divisor = strategy.num_replicas_in_sync, strategy.num_replicas_in_sync * parts
    for size in {spec.shape[0] for spec in tf.nest.flatten(dataset.element_spec)}:
        if size % divisor:
            below, above = (size // divisor * divisor, -(-size // divisor) * divisor)
            nearest = f"{below} or {above}" if below else str(above)
            split = f", each in {parts} parts" if parts > 1 else ""
            raise UserError(f"a batch of {size} cannot be split equally among {replicas} replicas{split}: set it to {nearest}")


def shared_by_workers(strategy, batches):
    """Returns a distributed dataset from which each worker reads only its share of every batch.

    Args:
        strategy: A `tf.distribute.Strategy` with several workers.
        batches: A function ``batches(index, count)`` that returns a `tf.data.Dataset` with part ``index`` of ``count`` equal
            parts of each batch.
    """

    def shares_of_replicas(context):
        replicas = strategy.num_replicas_in_sync // context.num_input_pipelines
        dataset = batches(context.input_pipeline_id, context.num_input_pipelines)
        is_tuple = isinstance(dataset.element_spec, tuple)

        def split(*parts):
            parts = [tf.reshape(part, (replicas, part.shape[0] // replicas, *part.shape[1:])) for part in parts]
            return tf.data.Dataset.from_tensor_slices(tuple(parts) if is_tuple else parts[0])

        return dataset if replicas == 1 else dataset.flat_map(split)

    return strategy.distribute_datasets_from_function(shares_of_replicas)


def num_workers(strategy):
    """Returns the number of worker processes."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return 1
    return sum(resolver.cluster_spec().num_tasks(kind) for kind in ("chief", "worker") if kind in resolver.cluster_spec().jobs)


def is_worker_lost(error):
    """Returns True if an exception means that another worker has ended or does not respond."""
    errors = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
    return isinstance(error, errors) and len(_workers()) > 1


def _auto(replicas):
    if len(_workers()) > 1:
        return _multi_worker(replicas)
    several = replicas > 1 or len(tf.config.list_physical_devices("GPU")) > 1
    return _mirrored(replicas) if several else _one_device(replicas)


def _refuse_replicas(replicas, reason):
    """Raises `UserError` if several replicas are requested from a strategy with a fixed set of devices."""
    if replicas > 1:
        raise UserError(f"{replicas} replicas requested, but {reason}: remove --replicas, or set --strategy=mirrored")


def _one_device(replicas):
    _refuse_replicas(replicas, "one_device has one")
    return tf.distribute.get_strategy()


def _mirrored(replicas):
    gpus = len(tf.config.list_physical_devices("GPU"))
    if replicas > gpus > 0:
        raise UserError(f"{replicas} replicas requested, but this machine has {gpus} GPUs: set --replicas to at most {gpus}")
    if not gpus and replicas > 1:
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    kind = "GPU" if gpus else "CPU"
    return tf.distribute.MirroredStrategy([f"{kind}:{index}" for index in range(replicas or gpus or 1)])


def _multi_worker(replicas):
    if not _workers():
        raise UserError(
            "multi_worker needs the environment variable TF_CONFIG, which lists the workers: set it (see docs/distributed.md)"
        )
    _refuse_replicas(replicas, "multi_worker uses every GPU of every worker")
    return tf.distribute.MultiWorkerMirroredStrategy()


def _tpu(replicas):
    _refuse_replicas(replicas, "tpu uses every core")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise UserError(f"no TPU was found ({first_line(error)}): set another --strategy") from None


STRATEGIES = {
    "auto": _auto,
    "one_device": _one_device,
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
    "tpu": _tpu,
}
"""Name -> function of the number of replicas."""


def check_created_in(strategy, network):
    """Checks that the variables of a network were created in the scope of a strategy with several replicas.

    Args:
        strategy: A `tf.distribute.Strategy`.
        network: A Keras model or layer.

    Raises:
        UserError: If they were created elsewhere.
    """
    if strategy.num_replicas_in_sync > 1:
        for variable in network.variables:
            if not strategy.extended.variable_created_in_scope(variable.value):
                raise UserError(
                    f"{network.name} was created outside the scope of the strategy: create the networks, the model and the "
                    "optimizers inside `with strategy.scope():`"
                )
