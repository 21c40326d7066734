"""Computes how much data the devices of a distributed training exchange, and estimates the time:
python -m experiments.studies.communication --configs=cifar10_dcgan,cifar10_resnet

For each config one step is traced for two devices, but not run. The table has the bytes that each device sends to the others
in a step, and the milliseconds of a ring all-reduce among 8, 64 and 256 devices if it does not overlap with computation.
"""

from absl import flags

from experiments import configs
from experiments.common import job

FLAGS = flags.FLAGS
SIZES = (8, 64, 256)


def main():
    from ganlib.training import collectives, strategy

    mirrored = strategy.create("mirrored", 2)
    print(f"| | parameters, millions | collectives | MB per step | {' | '.join(f'ms among {size}' for size in SIZES)} |")
    print("| --- " * (4 + len(SIZES)) + "|")
    for name in FLAGS.configs:
        model, batch = _traceable(configs.load(name), mirrored)
        traffic = collectives.exchange(model, batch)
        times = [1e3 * collectives.ring_seconds(traffic, size, 1e9 * FLAGS.gigabytes, 1e-6 * FLAGS.latency) for size in SIZES]
        parameters = sum(v.value.shape.num_elements() for v in model.trainable_variables)
        cells = [
            f"{parameters / 1e6:.2f}",
            str(traffic.collectives),
            f"{traffic.bytes / 1e6:.1f}",
            *(f"{t:.1f}" for t in times),
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _traceable(config, mirrored):
    """Returns the model of a config for images of ``--image_size`` with 3 channels and 10 classes, and the specs of one
    replica's batch."""
    import pathlib

    import tensorflow as tf

    from ganlib import runs
    from ganlib.data import sizes

    shape = (*sizes.parsed(FLAGS.image_size), 3)
    facts = {"image_shape": shape, "class_names": [str(k) for k in range(10)]}
    model = runs.build(runs.Run(pathlib.Path(), pathlib.Path(), config, facts, mirrored))
    count = config.batch_size * config.get("discriminator_steps", 1)
    images, labels = tf.TensorSpec((count, *shape), tf.uint8), tf.TensorSpec((count,), tf.int64)
    if not getattr(model, "uses_unlabeled", False):
        return model, (images, labels)
    return model, (images, labels, images, *([images] if model.fresh_real_images else []))


if __name__ == "__main__":
    flags.DEFINE_list("configs", None, "files of experiments/configs, such as cifar10_dcgan,cifar10_resnet", required=True)
    flags.DEFINE_string("image_size", "32", "size of the images, such as 32, or 32x48 for height x width")
    flags.DEFINE_float("gigabytes", 25.0, "bandwidth of a link in one direction, in gigabytes per second", lower_bound=1e-3)
    flags.DEFINE_float("latency", 5.0, "latency of a message in microseconds", lower_bound=0.0)
    job.start(main)
