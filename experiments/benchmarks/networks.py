"""Measures the train steps of configs: python -m experiments.benchmarks.networks --configs=cifar10_dcgan,cifar10_sngan

For each config it prints the seconds until the end of the first step (building, tracing, compiling), the images per second of
the bare train step, and the fraction of the machine's matrix multiplication rate in the same precision. The images are random,
and nothing is written. An image counts once per generator step, regardless of the number of discriminator steps.

Processes that run in parallel with the same --lock build and compile at the same time, and measure one after the other.
`experiments.benchmarks.pytorch` measures PyTorch on the same networks. Compare only numbers from the same machine and session.
"""

import contextlib
import fcntl
import json
import pathlib
import tempfile
import time

import numpy as np
from absl import flags

from experiments import configs
from experiments.benchmarks import steps
from experiments.common import job
from ganlib.errors import UserError

SHAPES = {"digits": (8, 8, 1), "mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
"""Dataset -> the shape of its images."""
CLASSES, EXAMPLES, MATRIX, ROUNDS = 10, 4096, {"CPU": 2048, "GPU": 8192}, 5


def build(config):
    """Returns ``(model, batch)``: the model of a config with initial weights, and a batch of random images."""
    from ganlib import data, runs
    from ganlib.runs import warm_start

    size = data.sizes.parsed(config.image_size)
    shape = (*size, 3) if size else SHAPES.get(config.dataset)
    if not shape:
        raise UserError(f"the image size of {config.dataset!r} is unknown: set --image_size")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (EXAMPLES, *shape), np.uint8)
    source = data.from_arrays("random pixels", images, np.arange(EXAMPLES) % CLASSES, [str(c) for c in range(CLASSES)])
    model = runs.build(runs.start(tempfile.mkdtemp(), config, source))
    if hasattr(model, "classifier"):
        warm_start.initialize_classifier(model, runs.start(tempfile.mkdtemp(), config, source), source)
    if getattr(model, "uses_unlabeled", False):
        size = config.labeled_batch_size or config.batch_size
        batches = data.semi_supervised_batches(
            source, source, config.batch_size, labeled_batch_size=size, fresh=model.fresh_real_images
        )
    else:
        size = config.batch_size * config.get("discriminator_steps", 1)
        batches = data.batches(source, size, with_labels=config.get("conditional", True))
    return model, next(iter(batches))


def measure(name, config, jit_compile, seconds, exclusive):
    """Returns a dict of measurements of one config. ``exclusive()`` is a context in which no other process measures."""
    import tensorflow as tf

    started = time.perf_counter()
    model, batch = build(config)
    step = tf.function(model.train_step, jit_compile=jit_compile, autograph=False)
    logs = {key: float(value) for key, value in step(batch).items()}
    first_step = time.perf_counter() - started
    flops = steps.step_flops(model, tf.nest.map_structure(tf.TensorSpec.from_tensor, batch))
    print(f"{name}: compiled after {first_step:.0f} s", flush=True)
    with exclusive():
        rate = matrix_rate(config.precision)
        step_seconds = steady_seconds(lambda: step(batch)["generator_loss" if "generator_loss" in logs else "loss"], seconds)
    return {
        "config": name, "precision": config.precision, "jit_compile": jit_compile, "batch_size": config.batch_size,
        "seconds_to_first_step": first_step, "images_per_second": config.batch_size / step_seconds, "flops": flops,
        "share_of_matmul_rate": flops / step_seconds / rate, "matmul_flops_per_second": rate,
        "memory_bytes": memory_peak(), "finite": bool(np.isfinite(list(logs.values())).all()),
    }  # fmt: skip


def matrix_rate(precision):
    """Returns the machine's FLOP/s for a product of large matrices in the compute precision of a policy."""
    import tensorflow as tf

    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return steps.matmul_rate(precision.removeprefix("mixed_"), MATRIX[device])


def memory_peak():
    """Returns the peak memory of TensorFlow on the GPU in bytes, or None on a CPU."""
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"] if tf.config.list_physical_devices("GPU") else None


def steady_seconds(step, seconds):
    """Returns the seconds per step, the median over several rounds. ``step()`` must return a tensor."""
    started = time.perf_counter()
    for _ in range(3):
        step().numpy()
    steps = max(1, int(seconds / ROUNDS / ((time.perf_counter() - started) / 3)))

    def one_round():
        for _ in range(steps - 1):
            step()
        step().numpy()

    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        one_round()
        rounds.append((time.perf_counter() - started) / steps)
    return float(np.median(rounds))


@contextlib.contextmanager
def locked(path):
    """Holds a lock on a file inside the block. None means no lock."""
    if path is None:
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def report(row, output):
    """Prints a row, and appends it to a JSON Lines file if one is given."""
    variant = row["variant"] if "variant" in row else "XLA" if row["jit_compile"] else "graph"
    kind = f"{row['config']}, {row['precision']}, {variant}"
    share = f"{100 * row['share_of_matmul_rate']:.1f} %" if "share_of_matmul_rate" in row else ""
    print(
        f"{kind:<60} {row['seconds_to_first_step']:>6.1f} s {row['images_per_second']:>9.0f} img/s {share:>8}"
        f"{'' if row['finite'] else '  NOT FINITE'}",
        flush=True,
    )
    if output:
        with pathlib.Path(output).open("a") as file:
            file.write(json.dumps(row) + "\n")


def main():
    for name in flags.FLAGS.configs:
        for precision in flags.FLAGS.precisions:
            for mode in flags.FLAGS.jit:
                config = configs.load(name, flags.FLAGS.set)
                config.precision = precision
                config.image_size = flags.FLAGS.image_size
                config.batch_size = flags.FLAGS.batch_size or config.batch_size
                row = measure(name, config, mode == "on", flags.FLAGS.seconds, lambda: locked(flags.FLAGS.lock))
                report(row, flags.FLAGS.output)


def define_flags():
    """Defines the flags that this job shares with `experiments.benchmarks.pytorch`."""
    flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "precisions to measure")
    flags.DEFINE_integer("batch_size", None, "batch size, instead of the config's")
    flags.DEFINE_float("seconds", 5.0, "duration of each measurement in seconds")
    flags.DEFINE_string("lock", None, "lock file: of all processes with the same file, one measures at a time")
    flags.DEFINE_string("output", None, "JSON Lines file to append the numbers to")


if __name__ == "__main__":
    define_flags()
    flags.DEFINE_list(
        "configs",
        ["cifar10_dcgan", "cifar10_sngan", "cifar10_stylegan2_cpu", "cifar10_r3gan_cpu", "cifar10_improved_gan"],
        "names of experiments/configs",
    )
    flags.DEFINE_multi_string("set", [], "KEY=VALUE, a change to every config; may be repeated")
    flags.DEFINE_string("image_size", None, "size of the images, such as 64 or 64x96, for datasets that are not available")
    flags.DEFINE_list("jit", ["off", "on"], "compilation with XLA: off, on, or both")
    job.start(main)
