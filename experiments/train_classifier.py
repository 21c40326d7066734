"""Trains a classifier on few labels:
python -m experiments.train_classifier --config=experiments/configs/digits_sgan.py --workdir=runs/digits_sgan

--config.method selects the training method. semi_supervised also trains on unlabeled images, against a generator, and bad_gan
against one whose images are unlikely or varied. triple_gan also trains on generated images with labels. pseudo_labels also
trains on unlabeled images with its own predictions as labels (with pseudo_labels.strong_augment: FixMatch). linear_probe fits a
logistic regression to the features of a frozen network. supervised trains only on the labeled images. It can start from the
features of another run's discriminator, --config.features_from=runs/some_gan, or also train on the images of another run's
conditional generator, --config.generated_from=runs/some_gan. Both flags also accept config:mnist_dcgan, which first trains that
GAN on the images that the classifier may use.

Validation images are held out of the training set, for model selection and calibration. The test images are used once, at the
end of training. The workdir gets classifier.keras, classification.json, mistakes.png and examples.npz, with which exports are
compared.
"""

import functools
import pathlib

import numpy as np
from absl import flags

from experiments import configs, train_gan
from experiments.common import job
from experiments.configs import base


def train(config, workdir, accept_new_config=False, label="", strategy=None):
    """Trains the classifier of ``config`` in ``workdir``, under a `tf.distribute.Strategy`, and writes its report. Returns its
    test accuracy in [0, 1]."""
    from ganlib import export, runs
    from ganlib.evaluation import classification, unknown
    from ganlib.runs import features
    from ganlib.training import strategy as training_strategy

    with runs.writing(workdir, strategy):
        run, model, parts, test = prepare(config, pathlib.Path(workdir), accept_new_config, strategy)
        encoded = functools.cache(lambda: features.encoded_parts(model, parts))  # used after the newest checkpoint is restored

        def batches(start_step, share=None):
            return batches_of(run.config, encoded(), model, start_step, share)

        evaluate = parts.validation and (
            lambda model: {"validation_accuracy": classification.accuracy(model, encoded().validation)}
        )
        runs.fit(run, model, batches, evaluate, label, samples=makes_images(model))
        if run.selects_best_step:
            run.selected_checkpoints(model).restore()
            # The other workers wait here. Otherwise they would read the checkpoint while the chief calibrates it.
            training_strategy.check_same(run.strategy, "the selected step", int(model.step.numpy()))
        _, priors = runs.calibrate(run, model, encoded().validation, encoded())
        cross_fitted = None
        if test is parts.validation:
            training_priors = runs.calibration.training_priors(run, model.classifier, encoded())
            cross_fitted = classification.cross_fitted(model.classifier, encoded().validation, training_priors)
        export.examples.write(run.workdir, export.examples.of_classifier(model, test))
        result, mistakes = classification.test(model.classifier, test, features.encoded(model, test), cross_fitted)
        if parts.validation is not None:
            result[unknown.PERCENTILES] = unknown.percentiles(model.classifier, encoded().validation)
        if priors is not None:
            result["class_priors"] = dict(zip(test.class_names, priors.tolist(), strict=True))
            result["accuracy_at_class_priors"] = classification.accuracy_at(priors, result)
        if run.is_chief:
            write_results(run, model, test, result, mistakes)
        return result["test_accuracy"]


def prepare(config, workdir, accept_new_config, strategy):
    """Returns ``(run, model, parts, test)``: the run and its model, the `ganlib.data.FewLabels` to train on, and the test
    images."""
    from ganlib import UserError, data, runs
    from ganlib.runs import named_runs, warm_start

    defaults = base.classifier()
    config = runs.checked(workdir, config, defaults)
    source = runs.open_data(config)
    check_classes(source)
    config = runs.automatic.completed(config, source, workdir)
    gans = gans_of(config, workdir)
    unlabeled = runs.open_unlabeled(config)
    parts = runs.few_labels(config, source, unlabeled)
    test = runs.open_data(config, config.test_split) if config.test_split else parts.validation
    if test is None:
        raise UserError(
            "there are no images to test on: set test_split, or validation_per_class, such as 10, to hold out images"
        )
    data.partition.check_test_set(source, test)
    num_labeled = config.labels_per_class * source.num_classes if config.labels_per_class else parts.labeled.num_examples
    config = with_gans(config, gans, num_labeled, accept_new_config, strategy)
    named_runs.check(config, source)
    config = runs.smoke(warm_start.with_features_of(config))
    run = runs.start(workdir, config, source, accept_new_config, strategy, defaults, **facts_of(config, parts, unlabeled))
    model = runs.build(run)
    check_features(run.config, model)
    if not run.checkpoints(model).steps():  # a checkpoint replaces these weights
        runs.density.train(run, model, parts.unlabeled, accept_new_config)
        warm_start.initialize_classifier(model, run, parts.unlabeled, parts.labeled)
    runs.diagnosis.at_start(run, parts.unlabeled, test, parts.labeled)
    return run, model, parts, test


def check_classes(source):
    """Checks the classes of the training images.

    Raises:
        UserError: If there is a single class, or one that is named like images without labels.
    """
    from ganlib import UserError

    if source.num_classes == 1:
        raise UserError(f"{source.name} has one class, {source.class_names[0]!r}: a classifier needs two or more")
    for name in source.class_names:
        if name.lower() in ("unlabeled", "unlabelled"):
            raise UserError(
                f"the folder {name!r} of {source.name} would be a class: move it out of the folder and set "
                "unlabeled_dataset=folder:PATH, or set classes to the names of the others"
            )


def check_features(config, model):
    """Checks that features are not augmented like images, and are not mixed with generated images.

    Raises:
        UserError: If a key of the config augments or generates images.
    """
    from ganlib import UserError
    from ganlib.runs import features

    for key in ("augment", "labeled_augment", "generated_from"):
        if features.encoder_of(model) and config[key]:
            raise UserError(
                f"{key}={config[key]!r} applies to images, but the backbone is frozen, so that training uses the features of "
                f"the images, computed once: leave {key} unset, or set discriminator.trainable_from"
            )
    if hasattr(model, "generator") and not model.generator.makes_images and config.augment:
        raise UserError(f"augment={config.augment!r} applies to images, but the generator makes features: leave augment unset")


def write_results(run, model, test, result, mistakes):
    """Writes classification.json, mistakes.png, classifier.keras and the report."""
    from ganlib import versions
    from ganlib.files import write_json, written_whole
    from ganlib.runs import report

    tested_on = run.config.test_split or "validation"
    step, code = int(model.step.numpy()), versions.of_code()
    facts = {"tested_on": tested_on, "test_content": test.fingerprint, "step": step, "code": code}
    write_json(run.workdir / "classification.json", result | facts)
    (run.workdir / "mistakes.png").unlink(missing_ok=True)  # from an earlier classifier
    if mistakes:
        with written_whole(run.workdir / "mistakes.png") as partial:
            mistakes.savefig(partial, dpi=90)
    with written_whole(run.workdir / "classifier.keras") as partial:
        model.classifier.save(partial)
    title = f"{run.folder.name}: classifier of {run.config.dataset}"
    report.write(run.workdir / "report.html", [run.workdir], title=title)


def facts_of(config, parts, unlabeled):
    """Returns the entries of ``run.json`` about the training images other than the dataset."""
    from ganlib.runs import named_runs

    labeled = parts.labeled
    facts = {"label_counts": np.bincount(labeled.labels, minlength=labeled.num_classes).tolist()}
    facts |= {"unlabeled_fingerprint": unlabeled.fingerprint} if unlabeled else {}
    facts |= {"labeled_fingerprint": labeled.fingerprint} if config.added_labels else {}
    return facts | ({"generated_by": named_runs.state_of(config.generated_from)} if config.generated_from else {})


def gans_of(config, workdir):
    """Returns the GANs that ``features_from`` and ``generated_from`` select with ``config:NAME``: key -> ``(config, workdir)``.

    They are trained in the classifier's folder, with its seed, and never on held-out images. The GAN for features is trained
    on all other images, without labels; the GAN for generated images on the images that ``labels_per_class`` selects, with
    labels, but not on those of ``added_labels``.

    Raises:
        UserError: If a config is not that of a GAN, or `ganlib.runs.checked` rejects it.
    """
    from ganlib import runs

    gans = {}
    for key, conditional in (("features_from", False), ("generated_from", True)):
        if (config[key] or "").startswith("config:"):
            folder = workdir / key.replace("_from", "_gan")
            gan = _config_of_gan(config[key].removeprefix("config:"), config, conditional)
            gans[key] = runs.checked(folder, gan, base.gan()), folder
    return gans


def _config_of_gan(name, config, conditional):
    from ganlib import UserError, runs
    from ganlib.runs import keys

    gan, overrides = configs.load(name), {"conditional": conditional}
    if gan.method != "gan":
        raise UserError(f"config:{name} is a classifier (method {gan.method!r}): pass the config of a GAN")
    for key in ("dataset", "data_dir", "classes", "image_size", "skip_corrupt", "background", "fit", "label_file",
                "file_column", "label_column", "seed", "label_seed", "validation_per_class", "smoke"):  # fmt: skip
        overrides[key] = config[key]
    if conditional:
        overrides["labels_per_class"] = config.labels_per_class
    elif config.unlabeled_dataset:
        overrides |= {"dataset": config.unlabeled_dataset, "validation_per_class": 0}
        overrides |= dict.fromkeys((*runs.images.TABLE, "classes"))
    gan.update(overrides)
    return keys.without_idle(gan, base.gan(), overrides.keys() & keys.idle(gan, base.gan()).keys())


def with_gans(config, gans, num_labeled, accept_new_config=False, strategy=None):
    """Trains the GANs of `gans_of`, and returns ``config`` with their names replaced by their folders."""
    config = config.copy_and_resolve_references()
    for key, (gan, folder) in gans.items():
        if gan.conditional and gan.batch_size:
            gan.batch_size = min(gan.batch_size, num_labeled)
        train_gan.train(gan, folder, accept_new_config, label="GAN", strategy=strategy)
        config[key] = str(folder)
    return config


def makes_images(model):
    """Returns whether a model has a generator of images."""
    return hasattr(model, "generator") and model.generator.makes_images


def batches_of(config, parts, model, start_step, share=None):
    """Returns the batches that a classifier is trained on: see `ganlib.data.semi_supervised_batches` and
    `ganlib.data.batches`. A model that ``fits_at_once`` gets all labeled images in each batch."""
    from ganlib import data, evaluation, runs

    size, labeled, share = config.labeled_batch_size or config.batch_size, parts.labeled, share or data.pipeline.ALL
    balanced = config.class_sampling == "balanced"
    if model.uses_unlabeled:
        arguments = config.batch_size, config.seed, start_step, size, share, balanced, model.fresh_real_images
        return data.semi_supervised_batches(labeled, parts.unlabeled, *arguments)
    if model.fits_at_once:  # a resumed fit is the same problem
        size, start_step = labeled.num_examples, 0
    size = min(size, labeled.num_examples)
    batches = data.batches(labeled, size, config.seed, start_step, share=share, balanced=balanced and not model.fits_at_once)
    if not config.generated_from:
        return batches
    generated = evaluation.generated_source(
        runs.load_gan(config.generated_from), config.generated_images, config.seed, labeled.class_names
    )
    generated = data.batches(generated, config.batch_size, config.seed, start_step, stream=1, share=share)
    return data.joined_batches(batches, generated)


def main():
    from ganlib import files

    accuracy = train(job.config(), flags.FLAGS.workdir, flags.FLAGS.accept_new_config, strategy=job.strategy())
    print(f"test accuracy: {100 * accuracy:.2f} %")
    result = files.read_measures(pathlib.Path(flags.FLAGS.workdir) / "classification.json")
    at_priors = result.get("accuracy_at_class_priors")
    if result.get("tested_on") == "validation" and at_priors is not None:
        print(
            "The held-out images are equally many of each class. On images with the frequencies in class_priors of "
            f"classification.json, the accuracy is {100 * at_priors:.2f} %."
        )
    print(f"report: {flags.FLAGS.workdir}/report.html")


if __name__ == "__main__":
    job.define_training_flags()
    job.start(main)
