"""The `tf.distribute` strategy by name: on which devices, of how many workers, a job trains."""

import os

import tensorflow as tf

from ganlib.errors import UserError, choose


def create(name="auto", replicas=0):
    """The strategy to train under. Call it before anything else is done with TensorFlow.

    Args:
        name: ``"one_device"``; ``"mirrored"``, every GPU of this machine; ``"multi_worker"``, every GPU of every worker that
            the environment variable TF_CONFIG names; ``"tpu"``, the TPU that the environment names; or ``"auto"``: of
            the first three the one for what there is, the second also where several replicas are asked for.
        replicas: of ``"mirrored"`` and ``"auto"``: how many GPUs, 0 for all; on a machine without GPUs, how many virtual
            devices the CPU is cut into, to try a distributed job.

    Returns:
        A `tf.distribute.Strategy`. A model that is made inside its ``scope()`` trains on its devices.

    Raises:
        UserError: for an unknown name, devices that are not there, or several replicas of a strategy that takes all there are.
    """
    return choose("strategy", name, STRATEGIES)(replicas)


def is_chief(strategy):
    """Whether this process is the one among the strategy's workers that writes files; true of a single process."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)


def _workers():
    """The addresses of the workers in TF_CONFIG; none without it."""
    try:
        cluster = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec().as_dict()
    except ValueError as error:
        raise UserError(f"TF_CONFIG is {os.environ.get('TF_CONFIG')!r}, which cannot be read ({error})") from None
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def mean_over_workers(strategy):
    """A function of a list of numbers that gives the mean of each over all workers, all of which must call it."""

    @tf.function
    def mean(values):
        return strategy.reduce("MEAN", strategy.run(tf.identity, (values,)), axis=None)

    return lambda numbers: mean(tf.constant(numbers, tf.float64)).numpy().tolist()


def check_same(strategy, what, number):
    """Waits until all workers are here, and makes sure that an integer is the same for all of them.

    Args:
        strategy: a `tf.distribute.Strategy`.
        what: what the number is, for the message.
        number: an integer.

    Raises:
        UserError: if it is not.
    """
    mean, mean_of_squares = mean_over_workers(strategy)([number, number * number])
    if mean_of_squares != mean * mean:
        raise UserError(f"{what} is {number} for this worker and not for all of them: give all workers the same --workdir, "
                        "in a file system that they share")  # fmt: skip


def check_shares(strategy, dataset, parts=1):
    """Makes sure that every replica gets an equal share of every batch, and can cut it into equal parts.

    Args:
        strategy: a `tf.distribute.Strategy`.
        dataset: a `tf.data.Dataset` whose batches are of one size.
        parts: how many parts a share is cut into.

    Raises:
        UserError: if the size cannot be divided so.
    """
    replicas, wanted = strategy.num_replicas_in_sync, strategy.num_replicas_in_sync * parts
    for size in {spec.shape[0] for spec in tf.nest.flatten(dataset.element_spec)}:
        if size % wanted:
            below, above = (size // wanted * wanted, -(-size // wanted) * wanted)
            nearest = f"{below} or {above}" if below else str(above)
            cut = f", each in {parts} parts" if parts > 1 else ""
            raise UserError(f"a batch of {size} cannot be shared equally by {replicas} replicas{cut}: make it {nearest}")


def num_workers(strategy):
    """How many processes train together."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return 1
    return sum(resolver.cluster_spec().num_tasks(kind) for kind in ("chief", "worker") if kind in resolver.cluster_spec().jobs)


def is_worker_lost(error):
    """Whether an exception means that another worker has ended or does not answer."""
    errors = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
    return isinstance(error, errors) and len(_workers()) > 1


def _auto(replicas):
    if len(_workers()) > 1:
        return _multi_worker(replicas)
    several = replicas > 1 or len(tf.config.list_physical_devices("GPU")) > 1
    return _mirrored(replicas) if several else _one_device(replicas)


def _refuse(replicas, taken):
    """Raises `UserError` where several replicas are asked for of a strategy that takes what it takes."""
    if replicas > 1:
        raise UserError(f"{replicas} replicas asked for, but {taken}: leave --replicas out, or choose --strategy=mirrored")


def _one_device(replicas):
    _refuse(replicas, "one_device has one")
    return tf.distribute.get_strategy()


def _mirrored(replicas):
    gpus = len(tf.config.list_physical_devices("GPU"))
    if replicas > gpus > 0:
        raise UserError(f"{replicas} replicas asked for, but this machine has {gpus} GPUs")
    if not gpus and replicas > 1:
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    kind = "GPU" if gpus else "CPU"
    return tf.distribute.MirroredStrategy([f"{kind}:{index}" for index in range(replicas or gpus or 1)])


def _multi_worker(replicas):
    if not _workers():
        raise UserError("multi_worker needs the environment variable TF_CONFIG, which names the workers (docs/distributed.md)")
    _refuse(replicas, "multi_worker takes every GPU of every worker")
    return tf.distribute.MultiWorkerMirroredStrategy()


def _tpu(replicas):
    _refuse(replicas, "tpu takes every core")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise UserError(f"no TPU was found ({str(error).splitlines()[0]}): choose another --strategy") from None


STRATEGIES = {
    "auto": _auto, "one_device": _one_device, "mirrored": _mirrored, "multi_worker": _multi_worker, "tpu": _tpu,
}  # fmt: skip
"""Name -> function of the number of replicas."""
