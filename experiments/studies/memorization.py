"""Shows which metrics tell a generator that copies training images from a trained one:
python -m experiments.studies.memorization --workdirs=runs/mnist_r3gan_seed0,runs/mnist_r3gan_seed1 --output=memorization.json

The copying generator returns one of --copies training images, chosen by the latent. It is evaluated once for each run, with
other images each time. Both are evaluated in the same way, and real test images too. The table has the mean and the standard
deviation of every number. A metric finds the copies if they are worse by more than two standard deviations of the runs and of
the copies together; it is misled if they are better by as much. The pictures ``OUTPUT_copies.png`` and ``OUTPUT_trained.png``
show generated images, in the first column, and their nearest training images.
"""

import pathlib

import keras
import numpy as np
from absl import flags

from experiments.common import job, trials
from ganlib import networks

FLAGS = flags.FLAGS
COLUMNS = ("copies", "trained", "real test images")


class Copies(networks.Generator):
    """A generator whose images are copies. The latent chooses one of them, of the requested class if there are classes."""

    def __init__(self, image_shape, latent_dim, num_classes=None, count=2, **kwargs):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.count = count
        constant = {"trainable": False, "initializer": "zeros"}
        self.copies = self.add_weight((count, *image_shape), name="copies", **constant)
        self.classes = self.add_weight((count,), dtype="int64", name="classes", **constant)
        self.directions = self.add_weight((count, latent_dim), name="directions", **constant)
        self.build()

    def get_config(self):
        return {**super().get_config(), "count": self.count}

    def call(self, latents, labels=None, training=False):
        scores = keras.ops.matmul(keras.ops.cast(latents, "float32"), keras.ops.transpose(self.directions))
        if labels is not None:
            is_other_class = keras.ops.cast(self.classes[None] != keras.ops.cast(labels, "int64")[:, None], "float32")
            scores -= 1e9 * is_other_class
        return keras.ops.take(self.copies, keras.ops.argmax(scores, axis=1), axis=0)


def copying_gan(source, count, like, seed):
    """Returns a `ganlib.GAN` that copies randomly chosen images of a source, with the classes and latents of another GAN."""
    import ganlib

    rng = np.random.default_rng([seed, count])  # not the seed alone: it also orders the real images in an evaluation
    indices = np.sort(rng.permutation(source.num_examples)[:count])
    other = like.generator
    generator = Copies(other.image_shape, other.latent_dim, other.num_classes, count)
    generator.copies.assign(source.pick(indices) / np.float32(127.5) - 1.0)
    if other.num_classes:
        generator.classes.assign(source.labels[indices])
    directions = rng.normal(size=(count, other.latent_dim))
    generator.directions.assign(directions / np.linalg.norm(directions, axis=1, keepdims=True))
    return ganlib.GAN(generator, networks.mlp.Discriminator(other.image_shape, num_classes=other.num_classes))


def main():
    from ganlib import UserError, runs
    from ganlib.evaluation import Evaluation, evaluation_record, nearest_neighbors
    from ganlib.files import write_json

    if len(FLAGS.workdirs) < 2:
        raise UserError(f"standard deviations require at least two runs, got {len(FLAGS.workdirs)}: pass more --workdirs")
    output, results = pathlib.Path(FLAGS.output), {column: [] for column in COLUMNS}
    config = runs.open_run(FLAGS.workdirs[0]).config
    source, test = runs.open_data(config), runs.open_data(config, "test")
    names = FLAGS.metrics or supported(config)
    training = runs.training_images(config, source)
    arguments = {"samples": FLAGS.samples, "test": test, "training": training, "progress": True}
    evaluate = Evaluation(source, names, config.features, **arguments)
    for seed, workdir in enumerate(FLAGS.workdirs):
        trained = runs.load_gan(workdir, precision="float32")
        copying = copying_gan(training, FLAGS.copies, trained, seed)
        for column, model in (("trained", trained), ("copies", copying)):
            results[column].append(evaluate(model))
            print(f"{workdir}, {column}: {results[column][-1]}", flush=True)
            if seed == 0:
                picture = nearest_neighbors(model, training, evaluate.extractor)
                picture.save(output.with_name(f"{output.stem}_{column}.png"))
    of_images = [name for name, metric in evaluate.metrics.items() if metric.inputs != "generator"]
    of_test = Evaluation(source, [name for name in of_images if "test" not in evaluate.metrics[name].against],
                         config.features, samples=min(FLAGS.samples, test.num_examples))  # fmt: skip
    results["real test images"].append(of_test.of_source(test))
    rows = {column: trials.statistics(values) for column, values in results.items()}
    write_json(output, evaluation_record(rows, evaluate, workdirs=FLAGS.workdirs, copies=FLAGS.copies))
    output.with_suffix(".md").write_text(table(rows))
    print(table(rows))


def supported(config):
    """Returns the names of the metrics that runs with this config support."""
    from ganlib.metrics.evaluate import METRICS as ALL

    return [name for name, metric in ALL.items() if config.conditional or not metric.needs_labels]


def table(rows):
    """Returns the Markdown table of the statistics in each column."""
    from ganlib.metrics.evaluate import results_to_show

    lines = [["", *COLUMNS, "copies are"]]
    for key, result in results_to_show().items():
        if key in rows["copies"]["mean"]:
            cells = [trials.cell(rows[column], key, result.format, result.scale) for column in COLUMNS]
            lines.append([result.heading, *cells, verdict(rows, key, result.higher_is_better)])
    return trials.as_markdown(lines)


def verdict(rows, key, higher_is_better):
    """Returns whether a number is worse for the copies, better, or neither by more than two standard deviations."""
    difference = rows["copies"]["mean"][key] - rows["trained"]["mean"][key]
    deviation = np.hypot(rows["copies"]["std"][key], rows["trained"]["std"][key])
    if abs(difference) <= 2 * deviation:
        return "alike"
    return "better" if (difference > 0) == higher_is_better else "worse"


if __name__ == "__main__":
    flags.DEFINE_list("workdirs", None, "folders of runs of one config, trained with several seeds", required=True)
    flags.DEFINE_integer("copies", 500, "number of training images that are copied", lower_bound=2)
    flags.DEFINE_list("metrics", None, "metrics to compute; by default all that the runs support")
    flags.DEFINE_integer("samples", 10_000, "number of images to generate", lower_bound=2)
    flags.DEFINE_string("output", "memorization.json", "JSON file to write; the table and pictures are written beside it")
    job.start(main)
