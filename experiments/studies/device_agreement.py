"""Compares training on a GPU with training on the CPU: python -m experiments.studies.device_agreement --steps=50

Each config trains from the same weights on the same batches, in float32 without TF32 and with deterministic operations, in
separate processes: on the CPU, on the CPU with initial weights perturbed by one part in 10 million, which is about the rounding
of float32, on the GPU, and on the GPU again. Training amplifies a difference from step to step, so the perturbed run is the
reference for the GPU run. For each of the two, the table has the largest difference of a weight from the CPU run, relative to
the largest change of its tensor since the start, and the largest relative difference of the logs at the first step and at any
step. The last column says whether the two GPU runs are bit-identical. Without a GPU the CPU is compared with itself.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from absl import flags

from experiments import configs
from experiments.common import job

FLAGS = flags.FLAGS
DEFAULTS = ["digits_dcgan", "digits_sgan", "mnist_dcgan", "mnist_resnet", "mnist_stylegan2", "mnist_r3gan"]
SMALLEST, OFF = 1e-6, 1e-7
"""``SMALLEST`` is the smallest denominator of relative differences, for tensors such as a bias before batch norm. ``OFF`` is
the relative perturbation of the initial weights."""


def main():
    if FLAGS.output:
        _train_all()
        return
    folder = pathlib.Path(tempfile.mkdtemp())
    cpu = _run(folder / "cpu.npz", device="cpu")
    off = _run(folder / "off.npz", device="cpu", start=folder / "cpu.npz", off=OFF)
    first, second = (_run(folder / f"{name}.npz", device="gpu", start=folder / "cpu.npz") for name in ("first", "second"))
    setting = f"{FLAGS.steps} steps, {'TF32' if FLAGS.tf32 else 'no TF32'}, {'XLA' if FLAGS.jit else 'no XLA'}"
    columns = ["weights", "logs of step 1", "logs of all steps"]
    print(
        f"| {setting} | {' | '.join([f'CPU {OFF:g} off: {c}' for c in columns] + [f'GPU: {c}' for c in columns])} | GPU twice |"
    )
    print("| --- " * 8 + "|")
    for name in FLAGS.configs:
        numbers = [*_differences(name, cpu, off), *_differences(name, cpu, first)]
        equal = all(np.array_equal(first[key], second[key]) for key in first if key.startswith(f"{name}/"))
        cells = " | ".join(f"{number:.0e}" for number in numbers)
        print(f"| {name} | {cells} | {'equal' if equal else 'differ'} |", flush=True)


def _differences(name, one, other):
    """Returns the largest differences of a weight, of a log at the first step, and of a log at any step."""
    keys = [key for key in one if key.startswith(f"{name}/trained/") and one[key].dtype.kind == "f"]
    changes = {key: np.abs(one[key] - one[key.replace("trained", "start")]).max() for key in keys}
    weights = max(np.abs(other[key] - one[key]).max() / max(changes[key], SMALLEST) for key in keys)
    logs = np.abs(other[f"{name}/logs"] - one[f"{name}/logs"]) / np.maximum(np.abs(one[f"{name}/logs"]), SMALLEST)
    return weights, logs[0].max(), logs.max()


def _run(output, device, start=None, off=0.0):
    """Trains in a child process and returns the saved weights and logs."""
    command = [sys.executable, "-m", "experiments.studies.device_agreement", f"--output={output}", f"--steps={FLAGS.steps}",
               f"--configs={','.join(FLAGS.configs)}", f"--tf32={FLAGS.tf32}", f"--jit={FLAGS.jit}"]  # fmt: skip
    command += [f"--start={start}", f"--off={off}"] if start else []
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    subprocess.run(command, env={**os.environ, **hidden}, check=True)
    with np.load(output) as saved:
        return dict(saved)


def _train_all():
    """Trains every config and saves the weights before and after training and the logs of each step. Runs in a child
    process."""
    import tensorflow as tf

    from ganlib import runs

    tf.config.experimental.enable_tensor_float_32_execution(FLAGS.tf32)
    tf.config.experimental.enable_op_determinism()
    start, results = np.load(FLAGS.start) if FLAGS.start else None, {}
    for name in FLAGS.configs:
        config = configs.load(name)
        source = runs.open_data(config)
        model = runs.build(runs.start(tempfile.mkdtemp(), config, source))
        if start:
            model.set_weights(list(_perturbed(start, name, len(model.weights))))
        results |= {f"{name}/start/{index:04d}": weights for index, weights in enumerate(model.get_weights())}
        step = tf.function(model.train_step, jit_compile=FLAGS.jit, autograph=False)
        logs = [step(batch) for batch in _batches(config, source, model).take(FLAGS.steps)]
        results[f"{name}/logs"] = np.array([[float(row[key]) for key in sorted(row)] for row in logs])
        results |= {f"{name}/trained/{index:04d}": weights for index, weights in enumerate(model.get_weights())}
    np.savez(FLAGS.output, **results)


def _perturbed(start, name, count):
    """Yields the initial weights, each perturbed by a random fraction of itself."""
    rng = np.random.default_rng(0)
    for index in range(count):
        weights = start[f"{name}/start/{index:04d}"]
        if weights.dtype.kind == "f":
            weights = weights * (1 + FLAGS.off * rng.standard_normal(weights.shape)).astype(np.float32)
        yield weights


def _batches(config, source, model):
    from ganlib import data

    if getattr(model, "uses_unlabeled", False):
        parts = data.few_labels(source, config.labels_per_class, config.label_seed)
        return data.semi_supervised_batches(parts.labeled, parts.unlabeled, config.batch_size, fresh=model.fresh_real_images)
    return data.batches(source, config.batch_size * config.discriminator_steps, with_labels=config.conditional)


if __name__ == "__main__":
    flags.DEFINE_list("configs", DEFAULTS, "names of experiments/configs")
    flags.DEFINE_integer("steps", 50, "train steps of each training", lower_bound=1)
    flags.DEFINE_bool("tf32", False, "compute in TF32, which TensorFlow does by default on recent GPUs")
    flags.DEFINE_bool("jit", False, "compile with XLA")
    flags.DEFINE_string("output", None, "used by child processes: the file to save weights and logs to")
    flags.DEFINE_string("start", None, "used by child processes: a file with the initial weights")
    flags.DEFINE_float("off", 0.0, "used by child processes: the relative perturbation of the initial weights")
    job.start(main)
