"""Evaluates a trained GAN, or a folder of images, against real images:
python -m experiments.evaluate --workdir=runs/mnist_dcgan --metrics=fid,kid,is,precision_recall,density_coverage,cas
python -m experiments.evaluate --real=folder:/data/birds --fake=folder:/data/generated --features=inception_v3
python -m experiments.evaluate --real=mnist --fake=mnist --fake_split=test --features=in_domain

The job prints a table and writes evaluation.json to the workdir, with the numbers of images, the features, the parameters of
the metrics, the seed and the version of ganlib. For a GAN it also writes neighbours.png: generated images, each with its
nearest training images, to detect memorization. The real images are all images of the dataset that the run was trained on. The
last command evaluates real test images as a reference.
"""

import pathlib

from absl import flags

from experiments.common import evaluating, job

WORKDIR = flags.DEFINE_string("workdir", None, "folder of a trained GAN; alternatively pass --real and --fake")
REAL = flags.DEFINE_string("real", None, "dataset of real images, such as folder:PATH or mnist")
FAKE = flags.DEFINE_string("fake", None, "dataset of generated images, such as folder:PATH")
FAKE_SPLIT = flags.DEFINE_string("fake_split", "train", "split of --fake")
METRICS = flags.DEFINE_list("metrics", ["fid", "kid", "precision_recall", "density_coverage"], "metrics to compute")
SAMPLES = flags.DEFINE_integer(
    "samples", None, "number of images to generate, by default 50,000; for --fake, the largest number, by default all",
    lower_bound=2,
)  # fmt: skip
PAIRS = flags.DEFINE_integer(
    "pairs", 10_000, "largest number of images of a set for metrics that compare images in pairs", lower_bound=2
)
FEATURES = flags.DEFINE_list(
    "features", None, "feature networks, such as in_domain,efficientnet_lite:0; by default the config's, or inception_v3"
)
SEED = flags.DEFINE_integer(
    "seed", None, "seed of latents, labels and subsets; by default 0, and 1 with --best", lower_bound=0
)  # fmt: skip
NEIGHBOURS = flags.DEFINE_integer("neighbours", 10, "rows of neighbours.png; 0 writes none", lower_bound=0)
PRECISION = flags.DEFINE_string("precision", None, "precision of the layers, such as float32; by default that of the training")
BEST = flags.DEFINE_bool("best", False, "use the checkpoint with the lowest FID instead of the newest")
IMAGE_SIZE = flags.DEFINE_string("image_size", None, f"for --real and --fake: {job.IMAGE_SIZE}")
CLASSES = flags.DEFINE_string("classes", None, "for --real and --fake: classes to keep, as in a config")
SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "for --real and --fake: skip unreadable files")
BACKGROUND = flags.DEFINE_string("background", "white", "for --real and --fake: color under transparent pixels")
FIT = flags.DEFINE_enum("fit", "crop", ["crop", "pad", "stretch"], "for --real and --fake: how images of another shape fit")
LABEL_FILE = flags.DEFINE_string("label_file", None, "for --real and --fake: table of the labels, as in a config")
FILE_COLUMN = flags.DEFINE_string("file_column", None, "for --real and --fake: column of the table that names images")
LABEL_COLUMN = flags.DEFINE_string("label_column", None, "for --real and --fake: column of the table with the labels")
DATA_DIR = flags.DEFINE_string("data_dir", None, "folder of TFDS datasets, instead of the config's data_dir")
OF_FOLDERS = (FAKE_SPLIT, IMAGE_SIZE, CLASSES, SKIP_CORRUPT, BACKGROUND, FIT, LABEL_FILE, FILE_COLUMN, LABEL_COLUMN)
OF_RUNS = (BEST, PRECISION, NEIGHBOURS)
OUTPUT = flags.DEFINE_string("output", None, "JSON file for the results; by default evaluation.json in the workdir")


def main():
    from ganlib import UserError
    from ganlib.files import write_json, written_whole

    if bool(WORKDIR.value) == bool(REAL.value and FAKE.value):
        raise UserError("pass either --workdir, or both --real and --fake")
    for flag in OF_FOLDERS if WORKDIR.value else OF_RUNS:
        if flag.present:
            has_effect = "--real and --fake" if WORKDIR.value else "--workdir"
            raise UserError(f"--{flag.name} has no effect here: pass it with {has_effect}, or omit it")
    result, neighbors = evaluate_run() if WORKDIR.value else (evaluate_folders(), None)
    width = max(24, *(len(name) + 2 for name in result["results"]))
    for name, value in result["results"].items():
        print(f"{name:<{width}}{value:>12{'d' if isinstance(value, int) else '.4f'}}")
    print(f"\n{result['samples']} generated and {result['real_images']} real images, features {result['features']}")
    for name, accuracy in result.get("features_accuracy", {}).items():
        print(evaluating.described_accuracy(name, accuracy))
    for name, parameters in result.get("parameters", {}).items():
        print(f"{name}: {evaluating.described(parameters)}")
    output = OUTPUT.value or (pathlib.Path(WORKDIR.value) / "evaluation.json" if WORKDIR.value else None)
    if output:
        write_json(output, result)
        print(f"written to {output}")
    if neighbors and NEIGHBOURS.value:  # last, so that an error here does not lose the metrics
        path = pathlib.Path(output).parent / "neighbours.png"
        with written_whole(path) as partial:
            neighbors().save(partial)
        print(f"generated images with their nearest real images: {path}")


def evaluate_run():
    """Evaluates the GAN in --workdir. Returns the results, and a function that creates the image of nearest neighbors."""
    from ganlib import evaluation, runs

    model, run = runs.load_gan(WORKDIR.value, BEST.value, PRECISION.value), runs.open_run(WORKDIR.value)
    source, config = runs.open_data_of(run, DATA_DIR.value), run.config
    config.data_dir = DATA_DIR.value or config.data_dir
    seed, facts = evaluating.seed_and_selection(runs.selection_of_best(run, model) if BEST.value else None, SEED.value)
    facts |= {"step": int(model.step.numpy()), "precision": PRECISION.value or config.precision}
    training = runs.training_images(config, source)
    networks = FEATURES.value or [config.get("features", "in_domain")]
    test = runs.open_test(config, METRICS.value, networks)

    def create(metrics, features):
        return evaluation.Evaluation(
            source, metrics, features, SAMPLES.value or 50_000, seed, progress=True, test=test, training=training,
            pairs=PAIRS.value,
        )  # fmt: skip

    evaluations = evaluating.one_for_each(networks, METRICS.value, create)
    for evaluate in evaluations.values():
        evaluate.prepare(model)
    results = {name: evaluate(model) for name, evaluate in evaluations.items()}
    test = test or evaluating.if_there(lambda: runs.open_data(config, "test"))
    result, extractor = evaluating.record(evaluations, results, test, **facts), evaluations[networks[0]].extractor
    return result, lambda: evaluation.nearest_neighbors(model, training, extractor, NEIGHBOURS.value, seed)


def evaluate_folders():
    """Evaluates --fake against --real."""
    from ganlib import UserError, evaluation
    from ganlib.evaluation import checks
    from ganlib.metrics.evaluate import metric_of

    real, fake = open_images(REAL.value, "train"), open_images(FAKE.value, FAKE_SPLIT.value)
    networks = FEATURES.value or ["inception_v3"]
    needs_test = any("test" in metric_of(name).against for name in METRICS.value)
    test = open_images(REAL.value, "test") if needs_test or "in_domain:test" in networks else None
    if fake.num_examples < 2:
        raise UserError(f"{fake.name} has {fake.num_examples} image: pass a --fake with at least 2")
    samples = min(SAMPLES.value or fake.num_examples, fake.num_examples)
    evaluating.warn_about_jpeg(FAKE.value)
    if test and fake.fingerprint == test.fingerprint:
        raise UserError(f"{fake.name} is also the test set: omit the metrics and features that depend on test images")

    def create(metrics, features):
        return evaluation.Evaluation(
            real, metrics, features, samples, SEED.value or 0, progress=True, test=test, pairs=PAIRS.value
        )  # fmt: skip

    evaluations = evaluating.one_for_each(networks, METRICS.value, create)
    for evaluate in evaluations.values():
        checks.check_generated_source(evaluate, fake)
        evaluate.prepare()
    results = {name: evaluate.of_source(fake) for name, evaluate in evaluations.items()}
    facts = {"fake": fake.name, "fake_content": fake.fingerprint, "most_samples": SAMPLES.value}
    test = test or evaluating.if_there(lambda: open_images(REAL.value, "test"))
    return evaluating.record(evaluations, results, test, **facts)


def open_images(name, split):
    """Opens a dataset with the flags for --real and --fake."""
    from ganlib import data

    arguments = (IMAGE_SIZE, DATA_DIR, SKIP_CORRUPT, BACKGROUND, FIT, LABEL_FILE, FILE_COLUMN, LABEL_COLUMN)
    source = data.open(name, split, **{flag.name: flag.value for flag in arguments})
    return source.of_classes(CLASSES.value.split(",")) if CLASSES.value else source


if __name__ == "__main__":
    job.start(main)
