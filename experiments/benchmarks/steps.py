"""Measures a train step: python -m experiments.benchmarks.steps

In one run it prints the machine's matrix multiplication rate, the FLOPs of each step, and the images per second of the bare
compiled step and of `fit` with the input pipeline, for each order of the updates, in float32 and bfloat16. It also
prints how much longer 500 steps take with a checkpoint. The model is DCGAN at 32x32 with width 64 and batch size 64. Timings
are noisy: compare ratios within one run, in which the variants alternate.
"""

import math
import tempfile
import time

import numpy as np
from absl import flags

from experiments.common import job

UPDATES = ("alternating", "reuse", "simultaneous")
VARIANTS = [(update, policy) for policy in ("float32", "mixed_bfloat16") for update in UPDATES]
COUNTED = ("MatMul", "BatchMatMulV2", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")
"""The operations whose FLOPs are counted."""
IMAGE_SHAPE = (32, 32, 3)
ROUNDS, CHECKPOINT_EVERY = 7, 500


def matmul_rate(dtype, size):
    """Returns the FLOP/s of a square matrix multiplication, the median over rounds. A multiply-add counts as two FLOPs."""
    import tensorflow as tf

    a, b = (tf.cast(tf.random.normal((size, size), seed=seed), dtype) for seed in (0, 1))
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(a, b)))
    multiply()
    return 2 * size**3 / np.median([_seconds(lambda: multiply().numpy()) for _ in range(ROUNDS)])


def step_flops(model, specification):
    """Returns the FLOPs of the matrix multiplications and convolutions, forward and backward, in one train step.

    Args:
        model: A model with a ``train_step``.
        specification: The `tf.TensorSpec` of a batch, or a structure of specs.
    """
    import tensorflow as tf

    graph = tf.function(model.train_step, autograph=False).get_concrete_function(specification).graph
    # The traced graph also contains unused gradients. TensorFlow prunes them, and so does this traversal.
    pending, executed = [t.op for t in graph.outputs] + list(graph.control_outputs), set()
    while pending:
        operation = pending.pop()
        if operation not in executed:
            executed.add(operation)
            pending += [t.op for t in operation.inputs] + list(operation.control_inputs)
    return sum(_flops(operation) for operation in executed)


def _flops(operation):
    """Returns the FLOPs of one operation: 0 unless it is a matrix multiplication or a convolution. A multiply-add counts as
    two."""
    if operation.type not in COUNTED:
        return 0
    shapes, result = [tuple(t.shape) for t in operation.inputs], tuple(operation.outputs[0].shape)
    if operation.type == "MatMul":
        inner = shapes[0][0 if operation.get_attr("transpose_a") else 1]
        return 2 * result[0] * result[1] * inner
    if operation.type == "BatchMatMulV2":
        inner = shapes[0][-2 if operation.get_attr("adj_x") else -1]
        return 2 * math.prod(result) * inner
    # The kernel of a convolution, and its output, which gives the batch size and the positions.
    kernel_and_output = {
        "Conv2D": lambda: (shapes[1], result),
        "Conv2DBackpropInput": lambda: (shapes[1], shapes[2]),
        "Conv2DBackpropFilter": lambda: (result, shapes[2]),
    }[operation.type]
    kernel, output = kernel_and_output()
    return 2 * math.prod(kernel) * math.prod(output[:3])


def make_gan(update, policy, width):
    """Builds the DCGAN of the benchmark."""
    import keras

    import ganlib
    from ganlib.networks import dcgan

    keras.utils.set_random_seed(0)
    with ganlib.training.precision.policy(policy):
        gan = ganlib.GAN(
            dcgan.Generator(IMAGE_SHAPE, latent_dim=128, width=width), dcgan.Discriminator(IMAGE_SHAPE, width=width)
        )
    gan.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5), update=update)
    return gan


def measure(gan, dataset, steps):
    """Returns ``(bare, fit, ratio)`` in seconds per step: medians over rounds in which the two alternate."""
    import tensorflow as tf

    batch = next(iter(dataset))
    step = tf.function(gan.train_step, jit_compile=gan.jit_compile, autograph=False)

    def bare():
        for _ in range(steps - 1):
            step(batch)
        step(batch)["generator_loss"].numpy()

    bare()
    fit_seconds(gan, dataset, steps)
    rounds = np.array([(_seconds(bare) / steps, fit_seconds(gan, dataset, steps) / steps) for _ in range(ROUNDS)])
    return (*np.median(rounds, axis=0), float(np.median(rounds[:, 1] / rounds[:, 0])))


def fit_seconds(gan, dataset, steps, checkpoints=None):
    """Returns the seconds that ``steps`` steps take in `fit`, including a checkpoint before them if ``checkpoints`` is set."""
    from ganlib.training.callbacks import StepCallback, StopAtNonFinite

    class Clock(StepCallback):
        def on_step(self, step, logs):
            if checkpoints and step == self.first_step + steps + 1:
                checkpoints.wait()  # the steps may finish before the checkpoint
            self.times.append(time.perf_counter())
            if checkpoints and step == self.first_step + 1:
                checkpoints.save()

    clock = Clock()
    clock.times = []
    gan.fit(dataset, steps_per_epoch=steps + 1, verbose=0, callbacks=[StopAtNonFinite(), clock])
    return clock.times[-1] - clock.times[0]


def checkpoint_seconds(gan, dataset, steps):
    """Returns the seconds that a checkpoint adds to the training: the median over rounds that alternate with and without."""
    from ganlib.training.checkpoint import Checkpoints

    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(folder, gan)
        fit_seconds(gan, dataset, steps, checkpoints)  # warm-up: the first checkpoint creates objects that later ones reuse
        return np.median(
            [fit_seconds(gan, dataset, steps, checkpoints) - fit_seconds(gan, dataset, steps) for _ in range(ROUNDS)]
        )


def _seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main():
    import tensorflow as tf

    from ganlib import data
    from ganlib.files import write_json

    smoke = flags.FLAGS.smoke
    width, batch_size, size, steps = (4, 8, 64, 2) if smoke else (64, 64, 2048, flags.FLAGS.steps)
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    images = np.random.default_rng(0).integers(0, 256, (4096, *IMAGE_SHAPE), np.uint8)
    dataset = data.batches(data.from_arrays("random pixels", images), batch_size)
    print(f"DCGAN 32x32, width {width}, batch {batch_size}, on {device}; medians of {ROUNDS} rounds of {steps} steps")
    rates = {"float32": matmul_rate("float32", size), "mixed_bfloat16": matmul_rate("bfloat16", size)}
    for policy, rate in rates.items():
        print(f"matrix multiplication {size}x{size}, {policy.removeprefix('mixed_')}: {rate / 1e9:.0f} GFLOP/s", flush=True)
    line = "{:<30} {:>12} {:>12} {:>12} {:>10} {:>14}"
    print(line.format("", "GFLOP/step", "bare img/s", "fit img/s", "fit time", "of matmul rate"))
    rows = []
    for update, policy in VARIANTS:
        gan = make_gan(update, policy, width)
        flops = step_flops(gan, tf.TensorSpec((batch_size, *IMAGE_SHAPE), tf.uint8))
        bare, fit, ratio = measure(gan, dataset, steps)
        row = {
            "name": update if policy == "float32" else f"{update}, {policy}",
            "flops": flops,
            "fit_to_bare_time": ratio,
            "images_per_second": batch_size / bare,
            "fit_images_per_second": batch_size / fit,
            "share_of_matmul_rate": flops / bare / rates[policy],
        }
        rows.append(row)
        print(line.format(
            row["name"], f"{flops / 1e9:.2f}", f"{batch_size / bare:.0f}", f"{batch_size / fit:.0f}",
            f"{100 * (ratio - 1):+.1f} %", f"{100 * row['share_of_matmul_rate']:.0f} %",
        ), flush=True)  # fmt: skip
    seconds = checkpoint_seconds(gan, dataset, steps)
    share = seconds / (CHECKPOINT_EVERY * fit)
    print(f"a checkpoint adds {1e3 * seconds:.0f} ms to the training, {100 * share:.2f} % of {CHECKPOINT_EVERY} of these steps")
    if flags.FLAGS.output:
        result = {"device": device, "matmul_flops_per_second": rates, "rows": rows, "checkpoint_seconds": seconds}
        write_json(flags.FLAGS.output, result)


if __name__ == "__main__":
    flags.DEFINE_integer("steps", 15, "train steps in each round", lower_bound=1)
    flags.DEFINE_string("output", None, "JSON file for the numbers")
    flags.DEFINE_bool("smoke", False, "a tiny model, for tests")
    job.start(main)
