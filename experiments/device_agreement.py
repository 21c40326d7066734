"""How far training on a GPU is from training on the CPU: python -m experiments.device_agreement --steps=50

Each config trains from the same weights on the same batches: on the CPU, on the GPU, and on the GPU once more, each in a
process of its own, in float32 without TF32 and with deterministic operations. For every config the table has the largest
difference of a weight from that of the CPU, as a share of the largest change of its tensor since the start; the largest
relative difference of what each step logs, over the first step and over all; and whether the second run on the GPU is the
first one's equal, bit for bit. Without a GPU the job compares the CPU with itself.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from absl import flags

from experiments import configs, job

FLAGS = flags.FLAGS
SMALLEST = 1e-6
"""Changes and logs that are smaller count as if they were so large, such as that of a bias that a batch norm takes out again."""


def main():
    if FLAGS.output:
        _train_all()
        return
    folder = pathlib.Path(tempfile.mkdtemp())
    cpu = _run(folder / "cpu.npz", CUDA_VISIBLE_DEVICES="")
    first, second = (_run(folder / f"{name}.npz", start=folder / "cpu.npz") for name in ("first", "second"))
    print(f"| {FLAGS.steps} steps, float32, {'TF32' if FLAGS.tf32 else 'no TF32'}, {'XLA' if FLAGS.jit else 'no XLA'} | weights "
          "| logs of step 1 | logs of all steps | GPU twice |")  # fmt: skip
    print("| --- " * 5 + "|")
    for name in FLAGS.configs:
        keys = [key for key in cpu if key.startswith(f"{name}/trained/") and cpu[key].dtype.kind == "f"]
        changes = {key: np.abs(cpu[key] - cpu[key.replace("trained", "start")]).max() for key in keys}
        weights = max(np.abs(first[key] - cpu[key]).max() / max(changes[key], SMALLEST) for key in keys)
        logs = np.abs(first[f"{name}/logs"] - cpu[f"{name}/logs"]) / np.maximum(np.abs(cpu[f"{name}/logs"]), SMALLEST)
        equal = all(np.array_equal(first[key], second[key]) for key in first if key.startswith(f"{name}/"))
        print(f"| {name} | {weights:.0e} | {logs[0].max():.0e} | {logs.max():.0e} | {'equal' if equal else 'differ'} |")


def _run(output, start=None, **environment):
    """What a child process saved."""
    command = [sys.executable, "-m", "experiments.device_agreement", f"--output={output}", f"--steps={FLAGS.steps}",
               f"--configs={','.join(FLAGS.configs)}", f"--tf32={FLAGS.tf32}", f"--jit={FLAGS.jit}"]  # fmt: skip
    command += [f"--start={start}"] if start else []
    subprocess.run(command, env={**os.environ, **environment}, check=True)
    with np.load(output) as saved:
        return dict(saved)


def _train_all():
    """Trains every config and saves the weights before and after, and the logs of each step: what a child process does."""
    import tensorflow as tf

    from ganlib import data, runs

    tf.config.experimental.enable_tensor_float_32_execution(FLAGS.tf32)
    tf.config.experimental.enable_op_determinism()
    start, results = np.load(FLAGS.start) if FLAGS.start else None, {}
    for name in FLAGS.configs:
        config = configs.load(name)
        source = runs.open_data(config)
        model = runs.build(runs.start(tempfile.mkdtemp(), config, source))
        if start:
            weights = [start[f"{name}/start/{index:04d}"] for index in range(len(model.weights))]
            model.set_weights(weights)
        results |= {f"{name}/start/{index:04d}": weights for index, weights in enumerate(model.get_weights())}
        if getattr(model, "uses_unlabeled", False):
            parts = data.few_labels(source, config.labels_per_class, config.label_seed)
            batches = data.semi_supervised_batches(parts.labeled, parts.unlabeled, config.batch_size)
        else:
            size = config.batch_size * config.discriminator_steps
            batches = data.batches(source, size, with_labels=config.conditional)
        step = tf.function(model.train_step, jit_compile=FLAGS.jit, autograph=False)
        logs = [step(batch) for batch in batches.take(FLAGS.steps)]
        results[f"{name}/logs"] = np.array([[float(row[key]) for key in sorted(row)] for row in logs])
        results |= {f"{name}/trained/{index:04d}": weights for index, weights in enumerate(model.get_weights())}
    np.savez(FLAGS.output, **results)


if __name__ == "__main__":
    flags.DEFINE_list("configs", ["digits_dcgan", "digits_sgan", "mnist_dcgan", "mnist_resnet", "mnist_stylegan2", "mnist_r3gan"],
                      "names of experiments/configs")  # fmt: skip
    flags.DEFINE_integer("steps", 50, "how many steps each training makes", lower_bound=1)
    flags.DEFINE_bool("tf32", False, "compute with TF32, as TensorFlow does on recent GPUs by default")
    flags.DEFINE_bool("jit", False, "compile with XLA")
    flags.DEFINE_string("output", None, "of the processes that this one starts: where to save what they trained")
    flags.DEFINE_string("start", None, "of the processes that this one starts: a file with the weights to begin with")
    job.start(main)
