"""Measures ganlib's train step beside other implementations of the same algorithm:
python -m experiments.benchmarks.peers --networks=dcgan,resnet --precisions=float32,mixed_bfloat16

The others are PyTorch, eager and compiled, on the networks of `experiments.benchmarks.pytorch`, and the pattern of the Keras
tutorials on the networks of `experiments.benchmarks.keras_pattern`. PyTorch is left out if it is not installed.

Each implementation is a process that builds its networks, compiles its step, and then waits. In each round, all of them run
some steps, one after the other, in an order that rotates. The table has the images per second, the medians over the rounds, and
the ratio of the speed to that of ganlib's first variant in the same round: its median, least and greatest. An image counts once
per generator step. The last column relates the FLOPs of ganlib's steps to the machine's matrix multiplication rate.
"""

import importlib.util
import json
import subprocess
import sys

import numpy as np
from absl import flags

from experiments.benchmarks import networks as config_steps
from experiments.common import job

FLAGS = flags.FLAGS
CONFIGS = {
    "dcgan": ("cifar10_dcgan", ["conditional=False", "penalties.r1.weight=0"]),
    "resnet": ("cifar10_sngan", []),
    "r3gan": ("cifar10_r3gan", ["conditional=False", "augment="]),
}
"""Network -> the config of ganlib and the keys to change for the algorithm of `experiments.benchmarks.pytorch`."""
UPDATES = {"dcgan": ["alternating", "reuse", "simultaneous"]}
"""Network -> the updates that its algorithm can have. The first is compared with the others."""


def implementations(network):
    """Returns the names of the implementations of a network, the one that the others are compared with first."""
    names = [f"ganlib {update}" for update in UPDATES.get(network, ["alternating"])]
    if network == "dcgan":
        names += ["Keras pattern", "Keras pattern, one pass"]
    if importlib.util.find_spec("torch"):
        names += ["PyTorch eager"] + (["PyTorch compiled"] if network != "r3gan" else [])
    return names


class Peer:
    """A process that measures one implementation.

    Args:
        name: One of `implementations`.
        network: The network.
        precision: A Keras precision policy.
        batch_size: The batch size, or 0 for the network's own.

    Attributes:
        facts: What the process printed when it was ready: the batch size and, for ganlib, the FLOPs of a step and the machine's
            matrix multiplication rate.
    """

    def __init__(self, name, network, precision, batch_size=0):
        settings = {"name": name, "network": network, "precision": precision, "batch_size": batch_size}
        command = [sys.executable, "-m", "experiments.benchmarks.peers", f"--peer={json.dumps(settings)}"]
        self.name = name
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = self._answer()

    def seconds(self, steps):
        """Returns the seconds that a number of steps take."""
        print(steps, file=self._process.stdin, flush=True)
        return self._answer()["seconds"]

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _answer(self):
        from ganlib import UserError

        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise UserError(f"{self.name} stopped: see its messages above")


def serve(settings):
    """Builds an implementation, prints its facts, and measures as many steps as each line of the standard input says."""
    import time

    kind, _, variant = settings["name"].partition(" ")
    arguments = settings["network"], settings["precision"], settings["batch_size"]
    if kind == "PyTorch":
        from experiments.benchmarks import pytorch

        facts, step = pytorch.prepared(*arguments, compiled=variant == "compiled")
    elif kind == "Keras":
        from experiments.benchmarks import keras_pattern

        facts, step = keras_pattern.prepared(*arguments, one_pass=variant.endswith("one pass"))
    else:
        facts, step = prepared(*arguments, update=variant)
    for _ in range(3):
        step()()
    print(json.dumps(facts), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            wait = step()
        wait()
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)


def prepared(network, precision, batch_size, update):
    """Builds a GAN of ganlib. Returns the facts of `Peer`, and a function that starts a step and returns one that waits."""
    import tensorflow as tf

    from experiments import configs
    from experiments.benchmarks import steps

    name, changes = CONFIGS[network]
    config = configs.load(name, [*changes, f"precision={precision}", f"update_rule={update}"])
    config.batch_size = batch_size or config.batch_size
    model, batch = config_steps.build(config)
    compiled = tf.function(model.train_step, jit_compile=model.jit_compile, autograph=False)

    def step():
        loss = compiled(batch)["generator_loss"]
        return loss.numpy

    flops = steps.step_flops(model, tf.nest.map_structure(tf.TensorSpec.from_tensor, batch))
    return {"batch_size": config.batch_size, "flops": flops, "matmul_rate": config_steps.matrix_rate(precision)}, step


def compare(network, precision):
    """Measures all implementations of a network in turn and returns a row for each."""
    peers = [Peer(name, network, precision, FLAGS.batch_size) for name in implementations(network)]
    steps = [max(1, round(FLAGS.seconds / peer.seconds(1))) for peer in peers]
    seconds = np.zeros((FLAGS.rounds, len(peers)))
    for round_index in range(FLAGS.rounds):
        for offset in range(len(peers)):
            index = (round_index + offset) % len(peers)
            seconds[round_index, index] = peers[index].seconds(steps[index]) / steps[index]
    rows = []
    for index, peer in enumerate(peers):
        speeds = seconds[:, 0] / seconds[:, index]
        size, flops = peer.facts["batch_size"], peer.facts.get("flops")
        median = float(np.median(seconds[:, index]))
        share = flops / median / peer.facts["matmul_rate"] if flops else None
        rows.append({
            "network": network, "precision": precision, "name": peer.name, "images_per_second": size / median,
            "speed": [float(value) for value in (np.median(speeds), speeds.min(), speeds.max())],
            "share_of_matmul_rate": share, "rounds": FLAGS.rounds,
        })  # fmt: skip
        peer.close()
    return rows


def as_line(row):
    median, least, greatest = row["speed"]
    share = f"{row['share_of_matmul_rate']:.0%}" if row["share_of_matmul_rate"] else ""
    cells = [row["network"], row["precision"].removeprefix("mixed_"), row["name"], f"{row['images_per_second']:.0f}"]
    return f"| {' | '.join([*cells, f'{median:.2f} ({least:.2f} to {greatest:.2f})', share])} |"


def main():
    if FLAGS.peer:
        serve(json.loads(FLAGS.peer))
        return
    from ganlib.errors import choose
    from ganlib.files import write_json

    rows = []
    print(
        "| network | precision | implementation | images/s | speed, 1 = the first | of the matrix rate |\n" + "| --- " * 6 + "|"
    )
    for network in FLAGS.networks:
        choose("network", network, CONFIGS)
        for precision in FLAGS.precisions:
            rows += compare(network, precision)
            print("\n".join(map(as_line, rows[-len(implementations(network)) :])), flush=True)
    if FLAGS.output:
        write_json(FLAGS.output, rows)


if __name__ == "__main__":
    flags.DEFINE_list("networks", ["dcgan", "resnet"], "networks: dcgan, resnet, r3gan")
    flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "precisions to measure")
    flags.DEFINE_integer("rounds", 7, "rounds in which all implementations are measured", lower_bound=1)
    flags.DEFINE_float("seconds", 3.0, "duration of each measurement in seconds")
    flags.DEFINE_integer("batch_size", 0, "batch size, instead of the networks' own")
    flags.DEFINE_string("output", None, "JSON file for the numbers")
    flags.DEFINE_string("peer", None, "used by this job for its own processes")
    job.start(main)
