"""Trains a classifier on few labels:
python -m experiments.train_classifier --config=experiments/configs/digits_sgan.py --workdir=runs/digits_sgan

--config.method says what it learns by: semi_supervised from unlabelled images too, against a generator; triple_gan also
from images that are generated with labels; pseudo_labels from unlabelled images, by its own guesses (with
pseudo_labels.strong_augment: FixMatch); supervised from the labelled images alone, by
--config.features_from=runs/some_gan on the features of that run's discriminator, by
--config.generated_from=runs/some_gan also from the images of that run's conditional generator. Both take
config:mnist_dcgan, too, and then train that GAN first, on what the classifier may learn from.

Validation images, held out of the training set, serve to choose and to calibrate; the test images are used once, when
the training is over. The workdir gets classifier.keras, classification.json and mistakes.png.
"""

import pathlib

from absl import flags

from experiments import configs, job, train_gan


def train(config, workdir, accept_new_config=False, label="", strategy=None):
    """Trains the classifier of ``config`` in ``workdir``, under a `tf.distribute.Strategy`, and writes its report; returns its
    test accuracy in [0, 1]."""
    from ganlib import UserError, classification, data, initialization, report, runs, versions
    from ganlib.files import write_json
    from ganlib.metrics import cache

    source = runs.open_data(config)
    parts = data.few_labels(
        source, config.labels_per_class, config.label_seed, config.validation_per_class, runs.open_unlabeled(config)
    )
    test = runs.open_data(config, config.test_split) if config.test_split else parts.validation
    if test is None:
        raise UserError("there is nothing to test on: set test_split, or hold images out by validation_per_class")
    config = with_gans(config, pathlib.Path(workdir), parts.labeled.num_examples, strategy)
    config = runs.smoke(initialization.with_features_of(config))
    run = runs.start(workdir, config, source, accept_new_config, strategy)
    model = runs.build(run)
    if not run.checkpoints(model).steps():  # a checkpoint would take its place
        initialization.initialize_classifier(model, run, parts.unlabeled)

    def batches(start_step):
        return batches_of(config, parts, model.uses_unlabeled, start_step)

    evaluate = parts.validation and (lambda model: {"validation_accuracy": classification.accuracy(model, parts.validation)})
    runs.fit(run, model, batches, evaluate, label, samples=hasattr(model, "generator"))
    classification.calibrate(model.classifier, parts.validation)
    result, mistakes = classification.test(model.classifier, test)
    tested_on = config.test_split or "validation"
    facts = {
        "tested_on": tested_on,
        "test_content": cache.content_of(test),
        "step": int(model.step.numpy()),
        "code": versions.of_code(),
    }
    write_json(run.workdir / "classification.json", result | facts)
    if mistakes:
        mistakes.savefig(run.workdir / "mistakes.png", dpi=90)
    model.classifier.save(run.workdir / "classifier.keras")
    report.write(run.workdir / "report.html", [run.workdir], title=f"Classifier of {config.dataset}")
    return result["test_accuracy"]


def with_gans(config, workdir, num_labeled, strategy=None):
    """``config`` with the GANs trained that ``features_from`` and ``generated_from`` name as ``config:NAME``.

    They learn in the classifier's folder, with its seed, from the images that it may learn from, held-out ones not among
    them: the one for features from all of them, without labels, the one for images from the labelled ones, with labels.
    """
    config = config.copy_and_resolve_references()
    for key, conditional in (("features_from", False), ("generated_from", True)):
        if (config[key] or "").startswith("config:"):
            gan = _config_of_gan(config[key].removeprefix("config:"), config, conditional, num_labeled)
            config[key] = str(workdir / key.replace("_from", "_gan"))
            train_gan.train(gan, config[key], label="GAN", strategy=strategy)
    return config


def _config_of_gan(name, config, conditional, num_labeled):
    gan = configs.load(name)
    gan.conditional = conditional
    for key in ("dataset", "data_dir", "classes", "image_size", "seed", "label_seed", "validation_per_class", "smoke"):
        gan[key] = config[key]
    if conditional:
        gan.update(labels_per_class=config.labels_per_class, batch_size=min(gan.batch_size, num_labeled))
    elif config.unlabeled_dataset:
        gan.update(dataset=config.unlabeled_dataset, validation_per_class=0)
    return gan


def batches_of(config, parts, use_unlabeled, start_step):
    """The batches that a classifier is trained on: see `ganlib.data.semi_supervised_batches` and `ganlib.data.batches`."""
    from ganlib import data, evaluation, runs

    size = config.labeled_batch_size or config.batch_size
    if use_unlabeled:
        return data.semi_supervised_batches(parts.labeled, parts.unlabeled, config.batch_size, config.seed, start_step, size)
    own = data.batches(parts.labeled, min(size, parts.labeled.num_examples), config.seed, start_step)
    if not config.generated_from:
        return own
    generated = evaluation.generated_source(
        runs.load_gan(config.generated_from), config.generated_images, config.seed, parts.labeled.class_names
    )
    return data.joined_batches(own, data.batches(generated, config.batch_size, config.seed, start_step))


def main():
    accuracy = train(flags.FLAGS.config, flags.FLAGS.workdir, flags.FLAGS.accept_new_config, strategy=job.strategy())
    print(f"test accuracy: {100 * accuracy:.2f} %\nreport: {flags.FLAGS.workdir}/report.html")


if __name__ == "__main__":
    job.define_training_flags()
    job.start(main)
