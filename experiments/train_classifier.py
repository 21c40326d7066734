"""Trains a classifier on few labels:
python -m experiments.train_classifier --config=experiments/configs/digits_sgan.py --workdir=runs/digits_sgan

--config.method says what it learns by: semi_supervised from unlabeled images too, against a generator; triple_gan also
from images that are generated with labels; pseudo_labels from unlabeled images, by its own guesses (with
pseudo_labels.strong_augment: FixMatch); supervised from the labeled images alone, by
--config.features_from=runs/some_gan on the features of that run's discriminator, by
--config.generated_from=runs/some_gan also from the images of that run's conditional generator. Both take
config:mnist_dcgan, too, and then train that GAN first, on what the classifier may learn from.

Validation images, held out of the training set, serve to choose and to calibrate; the test images are used once, when
the training is over. The workdir gets classifier.keras, classification.json, mistakes.png and
examples.npz, with which exports are compared.
"""

import functools
import pathlib

from absl import flags

from experiments import configs, train_gan
from experiments.common import job
from experiments.configs import base


def train(config, workdir, accept_new_config=False, label="", strategy=None):
    """Trains the classifier of ``config`` in ``workdir``, under a `tf.distribute.Strategy`, and writes its report; returns its
    test accuracy in [0, 1]."""
    from ganlib import export, runs
    from ganlib.evaluation import classification

    with runs.writing(workdir, strategy):
        run, model, parts, test = prepare(config, pathlib.Path(workdir), accept_new_config, strategy)
        batches = functools.partial(batches_of, run.config, parts, model.uses_unlabeled)
        evaluate = parts.validation and (
            lambda model: {"validation_accuracy": classification.accuracy(model, parts.validation)}
        )
        runs.fit(run, model, batches, evaluate, label, samples=hasattr(model, "generator"))
        classification.calibrate_run(run, model, parts.validation)
        export.examples.write(run.workdir, export.examples.of_classifier(model, test))
        result, mistakes = classification.test(model.classifier, test)
        if run.is_chief:
            write_results(run, model, test, result, mistakes)
        return result["test_accuracy"]


def prepare(config, workdir, accept_new_config, strategy):
    """``(run, model, parts, test)``: the run and its model, the `ganlib.data.FewLabels` to train on, and the test images."""
    from ganlib import UserError, data, runs
    from ganlib.runs import named_runs, warm_start

    defaults = base.classifier()
    config = runs.checked(workdir, config, defaults)
    gans = gans_of(config, workdir)
    source = runs.open_data(config)
    parts = data.few_labels(
        source, config.labels_per_class, config.label_seed, config.validation_per_class, runs.open_unlabeled(config)
    )
    test = runs.open_data(config, config.test_split) if config.test_split else parts.validation
    if test is None:
        raise UserError("there is nothing to test on: set test_split, or hold images out by validation_per_class")
    data.partition.check_test_set(source, test)
    config = with_gans(config, gans, parts.labeled.num_examples, accept_new_config, strategy)
    named_runs.check(config, source)
    config = runs.smoke(warm_start.with_features_of(config))
    run = runs.start(workdir, config, source, accept_new_config, strategy, defaults, **facts_of(config, parts))
    model = runs.build(run)
    if not run.checkpoints(model).steps():  # a checkpoint replaces these weights
        warm_start.initialize_classifier(model, run, parts.unlabeled)
    return run, model, parts, test


def write_results(run, model, test, result, mistakes):
    """Writes classification.json, mistakes.png, classifier.keras and the report."""
    from ganlib import versions
    from ganlib.files import write_json, written_whole
    from ganlib.runs import report

    tested_on = run.config.test_split or "validation"
    step, code = int(model.step.numpy()), versions.of_code()
    facts = {"tested_on": tested_on, "test_content": test.fingerprint, "step": step, "code": code}
    write_json(run.workdir / "classification.json", result | facts)
    (run.workdir / "mistakes.png").unlink(missing_ok=True)  # an earlier classifier's
    if mistakes:
        with written_whole(run.workdir / "mistakes.png") as partial:
            mistakes.savefig(partial, dpi=90)
    with written_whole(run.workdir / "classifier.keras") as partial:
        model.classifier.save(partial)
    title = f"{run.folder.name}: classifier of {run.config.dataset}"
    report.write(run.workdir / "report.html", [run.workdir], title=title)


def facts_of(config, parts):
    """What ``run.json`` shall say of what is learned from beside the dataset."""
    from ganlib.runs import named_runs

    facts = {"unlabeled_fingerprint": parts.unlabeled.fingerprint} if config.unlabeled_dataset else {}
    return facts | ({"generated_by": named_runs.state_of(config.generated_from)} if config.generated_from else {})


def gans_of(config, workdir):
    """The GANs that ``features_from`` and ``generated_from`` name as ``config:NAME``: the key -> ``(config, workdir)``.

    They learn in the classifier's folder, with its seed, from the images that it may learn from, held-out ones not among
    them: the one for features from all of them, without labels, the one for images from the labeled ones, with labels.

    Raises:
        UserError: for a config that is not of a GAN, or that `ganlib.runs.checked` refuses.
    """
    from ganlib import runs

    found = {}
    for key, conditional in (("features_from", False), ("generated_from", True)):
        if (config[key] or "").startswith("config:"):
            folder = workdir / key.replace("_from", "_gan")
            gan = _config_of_gan(config[key].removeprefix("config:"), config, conditional)
            found[key] = runs.checked(folder, gan, base.gan()), folder
    return found


def _config_of_gan(name, config, conditional):
    from ganlib import UserError
    from ganlib.runs import keys

    gan, given = configs.load(name), {"conditional": conditional}
    if gan.method != "gan":
        raise UserError(f"config:{name} is of a classifier (method {gan.method!r}): name the config of a GAN")
    for key in ("dataset", "data_dir", "classes", "image_size", "skip_corrupt", "background", "seed", "label_seed",
                "validation_per_class", "smoke"):  # fmt: skip
        given[key] = config[key]
    if conditional:
        given["labels_per_class"] = config.labels_per_class
    elif config.unlabeled_dataset:
        given |= {"dataset": config.unlabeled_dataset, "validation_per_class": 0}
    gan.update(given)
    return keys.without_idle(gan, base.gan(), given.keys() & keys.idle(gan, base.gan()).keys())


def with_gans(config, gans, num_labeled, accept_new_config=False, strategy=None):
    """``config`` with the GANs of `gans_of` trained, and their folders in the place of their names."""
    config = config.copy_and_resolve_references()
    for key, (gan, folder) in gans.items():
        if gan.conditional:
            gan.batch_size = min(gan.batch_size, num_labeled)
        train_gan.train(gan, folder, accept_new_config, label="GAN", strategy=strategy)
        config[key] = str(folder)
    return config


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
    return data.joined_batches(own, data.batches(generated, config.batch_size, config.seed, start_step, stream=1))


def main():
    accuracy = train(job.config(), flags.FLAGS.workdir, flags.FLAGS.accept_new_config, strategy=job.strategy())
    print(f"test accuracy: {100 * accuracy:.2f} %\nreport: {flags.FLAGS.workdir}/report.html")


if __name__ == "__main__":
    job.define_training_flags()
    job.start(main)
