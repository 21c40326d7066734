"""How far training on a GPU is from training on the CPU: python -m experiments.studies.device_agreement --steps=50

Each config trains from the same weights on the same batches, in float32 without TF32 and with deterministic operations, in
processes of its own: on the CPU; on the CPU with weights that begin one part in 10 million off, which is about what float32
rounds; on the GPU; and on the GPU once more. Training multiplies a difference from step to step, so the second of these is the
measure of the third. The table has for each of the two the largest difference of a weight from that of the CPU, as a share of
the largest change of its tensor since the start, and the largest relative difference of what is logged at the first step and at
any; and whether the two runs on the GPU are equal bit for bit. Without a GPU the CPU is compared with itself.
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
"""Changes and logs that are smaller count as if they were so large, such as that of a bias that a batch norm takes out again;
and how far off weights begin."""


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
        shown = " | ".join(f"{number:.0e}" for number in numbers)
        print(f"| {name} | {shown} | {'equal' if equal else 'differ'} |", flush=True)


def _differences(name, one, other):
    """The largest difference of a weight, of a log at the first step, and of one at any."""
    keys = [key for key in one if key.startswith(f"{name}/trained/") and one[key].dtype.kind == "f"]
    changes = {key: np.abs(one[key] - one[key.replace("trained", "start")]).max() for key in keys}
    weights = max(np.abs(other[key] - one[key]).max() / max(changes[key], SMALLEST) for key in keys)
    logs = np.abs(other[f"{name}/logs"] - one[f"{name}/logs"]) / np.maximum(np.abs(one[f"{name}/logs"]), SMALLEST)
    return weights, logs[0].max(), logs.max()


def _run(output, device, start=None, off=0.0):
    """What a child process saved."""
    command = [sys.executable, "-m", "experiments.studies.device_agreement", f"--output={output}", f"--steps={FLAGS.steps}",
               f"--configs={','.join(FLAGS.configs)}", f"--tf32={FLAGS.tf32}", f"--jit={FLAGS.jit}"]  # fmt: skip
    command += [f"--start={start}", f"--off={off}"] if start else []
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    subprocess.run(command, env={**os.environ, **hidden}, check=True)
    with np.load(output) as saved:
        return dict(saved)


def _train_all():
    """Trains every config and saves the weights before and after, and the logs of each step: what a child process does."""
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
            model.set_weights(list(_begun(start, name, len(model.weights))))
        results |= {f"{name}/start/{index:04d}": weights for index, weights in enumerate(model.get_weights())}
        step = tf.function(model.train_step, jit_compile=FLAGS.jit, autograph=False)
        logs = [step(batch) for batch in _batches(config, source, model).take(FLAGS.steps)]
        results[f"{name}/logs"] = np.array([[float(row[key]) for key in sorted(row)] for row in logs])
        results |= {f"{name}/trained/{index:04d}": weights for index, weights in enumerate(model.get_weights())}
    np.savez(FLAGS.output, **results)


def _begun(start, name, count):
    """The weights that training begins with, each off by a random part of itself."""
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
        return data.semi_supervised_batches(parts.labeled, parts.unlabeled, config.batch_size)
    return data.batches(source, config.batch_size * config.discriminator_steps, with_labels=config.conditional)


if __name__ == "__main__":
    flags.DEFINE_list("configs", DEFAULTS, "names of experiments/configs")
    flags.DEFINE_integer("steps", 50, "how many steps each training makes", lower_bound=1)
    flags.DEFINE_bool("tf32", False, "compute with TF32, as TensorFlow does on recent GPUs by default")
    flags.DEFINE_bool("jit", False, "compile with XLA")
    flags.DEFINE_string("output", None, "of the processes that this one starts: where to save what they trained")
    flags.DEFINE_string("start", None, "of the processes that this one starts: a file with the weights to begin with")
    flags.DEFINE_float("off", 0.0, "of the processes that this one starts: how far off these weights begin")
    job.start(main)
