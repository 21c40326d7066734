"""Compares an evaluation with the forward passes that it needs: python -m experiments.benchmarks.evaluation

A conditional DCGAN at 32x32 generates 50,000 images, and the in-domain network computes their features. The bare passes call
both networks as compiled graphs on batches of the fastest size, and keep nothing. The evaluation generates images, rounds them
to integers, and computes ``fid``, ``intra_fid``, ``is`` and ``fid_test``; the statistics of the real images are cached. The
weights and the real images are random. Timings are noisy: compare ratios within one run, in which all parts alternate.
"""

import tempfile
import time

import numpy as np
from absl import flags

from experiments.common import job

METRICS = ["fid", "intra_fid", "is", "fid_test"]
IMAGE_SHAPE, LATENT_DIM, CLASSES, REAL_IMAGES = (32, 32, 3), 128, 10, 10_000
BATCH_SIZES = (64, 128, 256, 512)


def random_source(name, seed):
    """Returns a `ganlib.data.Source` of images with random pixels."""
    from ganlib import data

    images = np.random.default_rng(seed).integers(0, 256, (REAL_IMAGES, *IMAGE_SHAPE), np.uint8)
    return data.from_arrays(name, images, np.arange(REAL_IMAGES) % CLASSES, [str(k) for k in range(CLASSES)])


def make_gan(width):
    """Builds the conditional DCGAN of the benchmark."""
    import ganlib
    from ganlib.networks import dcgan

    return ganlib.GAN(
        dcgan.Generator(IMAGE_SHAPE, LATENT_DIM, width, num_classes=CLASSES),
        dcgan.Discriminator(IMAGE_SHAPE, width=width, num_classes=CLASSES),
    )


def bare_pass(network, inputs, count):
    """Returns a function that calls a network on ``count`` images, in batches of the fastest size.

    Args:
        network: A function of tensors.
        inputs: A function from a batch size to the tensors of a batch.
        count: The number of images.
    """
    import tensorflow as tf

    compiled = tf.function(network, reduce_retracing=True, autograph=False)

    def run(size, count=count):
        batch, rest = inputs(size), count % size
        for _ in range(count // size):
            outputs = compiled(*batch)
        if rest:
            outputs = compiled(*(tensor[:rest] for tensor in batch))
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), outputs)

    sizes = [size for size in BATCH_SIZES if size <= count]
    warm_up = min(count, 4 * BATCH_SIZES[-1])
    for size in sizes:
        run(size, warm_up)
    fastest = min(sizes, key=lambda size: seconds(lambda: run(size, warm_up)))
    return lambda: run(fastest)


def seconds(function):
    """Returns the seconds that a function takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def measure(count, width, rounds):
    """Returns a dict from the parts to ``(rounds,)`` seconds: ``generator``, ``features`` and ``evaluation``."""
    import keras
    import tensorflow as tf

    from ganlib.evaluation import Evaluation
    from ganlib.metrics import features, in_domain

    keras.utils.set_random_seed(0)
    real, test, gan = random_source("random", 0), random_source("random test", 1), make_gan(width)
    network = in_domain.untrained(real)
    parts = {
        "generator": bare_pass(
            lambda latents, labels: gan.ema_generator(latents, labels, training=False),
            lambda size: (tf.random.normal((size, LATENT_DIM)), tf.range(size) % CLASSES),
            count,
        ),
        "features": bare_pass(
            lambda images: network(tf.cast(images, tf.float32), training=False),
            lambda size: (tf.constant(real.pick(np.arange(size))),),
            count,
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        extractor = features.from_model(network, "in_domain:untrained")
        evaluate = Evaluation(real, METRICS, extractor, samples=count, cache_dir=folder, test=test)
        evaluate.prepare(gan)
        parts["evaluation"] = lambda: evaluate(gan)
        evaluate(gan)  # the first call compiles
        table = [{name: seconds(part) for name, part in parts.items()} for _ in range(rounds)]
    return {name: np.array([row[name] for row in table]) for name in parts}


def report(times):
    """Prints the table of the results of `measure`."""
    both = times["generator"] + times["features"]
    rows = {
        "bare generator pass": times["generator"],
        "bare feature pass": times["features"],
        "both bare passes": both,
        "evaluation": times["evaluation"],
    }
    for name, values in rows.items():
        print(f"{name:<24}{np.median(values):8.2f} s")
    print(f"{'evaluation / both':<24}{np.median(times['evaluation'] / both):8.2f}", flush=True)


def main():
    count, rounds = flags.FLAGS.images, flags.FLAGS.rounds
    for width in map(int, flags.FLAGS.widths):
        print(f"{count:,} images of DCGAN 32x32 with width {width}; medians of {rounds} rounds", flush=True)
        report(measure(count, width, rounds))


if __name__ == "__main__":
    flags.DEFINE_integer("images", 50_000, "number of generated images", lower_bound=100)
    flags.DEFINE_list("widths", ["64", "16"], "widths of the generator")
    flags.DEFINE_integer("rounds", 3, "number of rounds", lower_bound=1)
    job.start(main)
