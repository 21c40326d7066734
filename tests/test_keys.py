"""Every key of a config changes what a run is, or is refused: none is ignored without a word."""

import hashlib
import json
import types

import keras
import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import train_classifier, train_gan
from experiments.configs import base
from ganlib import classification, data, evaluation, instances, keys, report, runs
from ganlib.data import folders, sources
from ganlib.metrics import features
from ganlib.training.callbacks import StepCallback
from ganlib.training.distributed import DistributedModel

METHODS = list(keys.JOBS)
SGD = {"name": "sgd", "learning_rate": 0.1}
OTHERS = {
    "dataset": "folder:{data}", "data_dir": "/elsewhere", "classes": "3,7", "image_size": 16, "skip_corrupt": True,
    "background": "black", "batch_size": 6, "steps": 7, "seed": 1, "networks": "improved_mlp", "generator": {"width": 6},
    "discriminator": {"width": 6}, "generator_optimizer": SGD, "generator_optimizer.learning_rate": 0.1,
    "generator_optimizer.beta_1": 0.1, "discriminator_optimizer": SGD, "discriminator_optimizer.learning_rate": 0.1,
    "discriminator_optimizer.beta_1": 0.1, "update_rule": "simultaneous", "augment": "translation", "ada.categories": "blit",
    "ada.probability": 0.3, "ada.target": 0.5, "ada.adjustment": 1000, "ada.interval": 2, "accumulation_steps": 2,
    "non_finite": "skip", "ema_decay": 0.5, "precision": "mixed_bfloat16", "steps_per_execution": 2, "log_every": 7,
    "checkpoint_every": 7, "sample_every": 7, "evaluate_every": 7, "smoke": True, "conditional": True,
    "instances.features": "pixels", "instances.neighbors": 3, "instances.embedding_dim": 6, "instances.kept": 9,
    "weights_from": "{gan}", "body_from": "{gan}", "frozen_layers": 1, "loss": "hinge", "penalties": {"r1": {"weight": 1.0}},
    "discriminator_steps": 2, "top_k": 0.5, "metrics": "fid", "features": "inception_v3", "evaluation_samples": 50,
    "labels_per_class": 2, "label_seed": 1, "validation_per_class": 2, "test_split": "train",
    "unlabeled_dataset": "folder:{data}", "labeled_batch_size": 4, "unlabeled_weight": 0.5, "features_from": "{gan}",
    "generated_from": "{conditional}", "generated_images": 50, "freeze_features": True, "labeled_augment": "shift",
    "generator_loss": "feature_matching_l1", "regularizers": {"conditional_entropy": {"weight": 0.1}},
    "generator_regularizers": {"pull_away": {"weight": 0.8}}, "pseudo_labels.threshold": 0.5,
    "pseudo_labels.strong_augment": "shift", "triple_gan.classifier": {"width": 6}, "triple_gan.classifier_optimizer": SGD,
    "triple_gan.classifier_optimizer.learning_rate": 0.1, "triple_gan.classifier_optimizer.beta_1": 0.1,
    "triple_gan.alpha": 0.3, "triple_gan.adversarial_weight": 0.3, "triple_gan.generated_weight": 0.3,
}  # fmt: skip
"""Key -> another value that it may have; the paths in braces are those of `given`."""

FOLDER = {"dataset": "folder:{data}"}
ADA = {"augment": "ada"}
INSTANCES = {"instances.features": "pixels"}
READ_WITH = {
    "data_dir": {"dataset": "mnist"}, "skip_corrupt": {"dataset": "folder:{damaged}"}, "background": FOLDER,
    "label_seed": {"labels_per_class": 2}, "ada.categories": ADA, "ada.probability": ADA, "ada.target": ADA,
    "ada.adjustment": ADA, "ada.interval": ADA, "instances.neighbors": INSTANCES, "instances.embedding_dim": INSTANCES,
    "instances.kept": INSTANCES, "evaluation_samples": {"metrics": "fid"}, "generated_images": {"generated_from": "{conditional}"},
    "evaluate_every": {"gan": {"metrics": "fid"}, "": {"validation_per_class": 2}},
    "unlabeled_dataset": {"supervised": {"features_from": "config:digits_dcgan"}, "": {}},
    "batch_size": {"supervised": {"labeled_batch_size": 4, "generated_from": "{conditional}"}, "": {}},
}  # fmt: skip
"""Key -> what it takes for it to be read, for all methods or, where that differs, by method."""


def leaves(config, prefix=""):
    """The keys at all depths; a group that a config may leave empty is a key, too."""
    for key, value in config.items():
        inner = list(leaves(value, f"{prefix}{key}.")) if hasattr(value, "items") else []
        yield from inner or [f"{prefix}{key}"]


def defaults_of(method):
    return base.gan() if method == "gan" else base.classifier()


CASES = [
    (method, key)
    for method in METHODS
    for key in dict.fromkeys([*leaves(defaults_of(method)), *(key for key, value in OTHERS.items() if value is SGD)])
    if key != "method" and not key.endswith(".name") and key.partition(".")[0] in defaults_of(method)
]


def set_keys(config, changes):
    with config.ignore_type():
        for key, value in changes.items():
            group, _, leaf = key.rpartition(".")
            inner = config
            for name in group.split(".") if group else ():
                inner = inner[name]
            inner[leaf] = value


def small(method):
    """The smallest config of a method."""
    config = defaults_of(method)
    config.update(method=method, networks="mlp", batch_size=8, discriminator={"width": 8})
    if "generator" in keys.READ[method]:
        config.generator.update(width=8, latent_dim=4)
    if method == "triple_gan":
        config.triple_gan.classifier.width = 8
    return config


def pictures(folder, classes, suffix="train"):
    """A folder of a few transparent pictures of 8x8 in each class."""
    for name in classes:
        place = folder / suffix / name
        place.mkdir(parents=True)
        for index in range(10):
            pixels = np.random.default_rng(index).integers(0, 256, (8, 8, 2), np.uint8)
            Image.fromarray(pixels, "LA").save(place / f"{index}.png")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Paths: data of the same shape as the digits, the same with a damaged file, and two GANs as after their training."""
    root = tmp_path_factory.mktemp("given")
    for name in ("data", "damaged"):
        pictures(root / name, "ab")
        pictures(root / name, "ab", "test")
    (root / "damaged/train/a/broken.png").write_text("no picture")
    source = data.open("digits")
    for name, conditional in (("gan", False), ("conditional", True)):
        config = small("gan")
        config.update(conditional=conditional, seed=7)
        run = runs.start(root / name, config, source)
        run.write()
        checkpoints = run.checkpoints(runs.build(run))
        checkpoints.save()
        checkpoints.wait()
    return {path.name: str(path) for path in root.iterdir()}


class Described(Exception):
    """A job has come to its end."""


@pytest.fixture
def describe(given, tmp_path, monkeypatch):
    """A function from a method and changes of its smallest config to all that the job would do; it raises what the job does.

    The job runs as it is, but for `fit`, what is measured, neighbours in a space of features, and TFDS.
    """
    found, count = {}, iter(range(9))

    def fit(model, dataset, steps_per_epoch, callbacks, **_):
        attributes = {type(c).__name__: vars(c) for c in callbacks if isinstance(c, StepCallback)}
        found["callbacks"] = {
            name: {key: value for key, value in own.items() if isinstance(value, (int, float))} for name, own in attributes.items()
        }
        evaluate = attributes["LogMetrics"]["evaluate"]
        found["evaluation"] = [getattr(evaluate, name, "") for name in ("asked", "samples", "_features")], evaluate is None
        found["steps"], found["spec"] = steps_per_epoch, str(dataset.element_spec)
        found["batch"] = [digest(part) for part in flat(next(iter(dataset)))]
        found["networks"], found["compiled"] = model.get_config(), model.get_compile_config()
        found["weights"] = digest(*model.get_weights())
        found["trained"] = [v.path for v in model.trainable_variables]

    def end(*arguments, **_):
        found["tested on"] = getattr(arguments[-1], "name", "")
        raise Described

    def prepare(source, extractor, neighbors):
        own = np.random.default_rng(0).normal(size=(source.num_examples, 4)).astype(np.float32)
        return instances.Instances(own, np.arange(source.num_examples)[:, None] + np.zeros((1, neighbors), int))

    def tfds(name, split, image_size, data_dir):
        return sources.from_arrays(f"{name}/{split}/{data_dir}", data.open("digits", split).images, data.open("digits", split).labels)

    def train_named_gan(config, workdir, *_, **__):
        found["gan"] = runs.open_data(config).name, config.to_json_best_effort()
        other = runs.open_run(given["gan"])
        runs.Run(workdir, workdir, other.config, other.facts).write()
        (workdir / "checkpoints").symlink_to(f"{given['gan']}/checkpoints")

    monkeypatch.setattr(DistributedModel, "fit", fit)
    monkeypatch.setattr(runs, "data", data)
    monkeypatch.setattr(report, "write", end)
    monkeypatch.setattr(classification, "calibrate", lambda classifier, source: found.update(calibrated_by=source and source.name))
    monkeypatch.setattr(classification, "test", end)
    monkeypatch.setattr(evaluation.Evaluation, "prepare", lambda self: None)
    monkeypatch.setattr(instances, "prepare", prepare)
    monkeypatch.setattr(features, "get", lambda name, source: types.SimpleNamespace(name=name))
    monkeypatch.setattr(sources, "_open_tfds", tfds)

    def description(method, changes):
        keras.utils.clear_session()
        found.clear()
        config = small(method)
        set_keys(config, json.loads(json.dumps(changes).replace("{", "\0{")) if False else filled_in(changes, given))
        job = train_gan if method == "gan" else train_classifier
        with monkeypatch.context() as patch:
            if method != "gan":
                patch.setattr(train_gan, "train", train_named_gan)
            with pytest.raises(Described):
                job.train(config, tmp_path / str(next(count)))
        found["read by later jobs"] = read_later(method, config, given)
        return json.loads(json.dumps(found, default=str))

    return description


def read_later(method, config, given):
    """What `experiments.evaluate` reads in config.json of a GAN, and `classify` of a classifier's run."""
    if method == "gan":
        return config.features
    return digest(folders.pictures(f"{given['data']}/train/a/0.png", (8, 8, 1), config.background))


def filled_in(value, given):
    """A value, with the paths of `given` in the place of their names."""
    if isinstance(value, dict):
        return {key: filled_in(inner, given) for key, inner in value.items()}
    return value.format(**given) if isinstance(value, str) else value


def flat(batch):
    return batch if isinstance(batch, tuple) else (batch,)


def digest(*arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def changed(method, key):
    """The changes by which a key gets its other value: with it go those of the networks that come with ``features_from``."""
    changes = {key: OTHERS[key]}
    if key == "features_from":
        own = {"triple_gan": {"triple_gan.classifier": {}}, "semi_supervised": {"discriminator": {}}}
        changes |= own.get(method, {"discriminator": {}, "networks": "dcgan"})
    return changes


def with_features(method, context):
    """A context in which ``features_from`` may come in, without the networks that it replaces."""
    return context | ({"discriminator": {}, "networks": "dcgan"} if "features_from" in context else {})


@pytest.mark.parametrize(("method", "key"), CASES)
def test_a_key_changes_the_run_or_is_refused(describe, method, key):
    assert key in OTHERS, f"give {key} another value in OTHERS"
    context = READ_WITH.get(key, {})
    context = with_features(method, context.get(method, context.get("", context)))
    group = key if key in keys.READ[method] else key.rpartition(".")[0]
    if group not in keys.READ[method] or context:
        with pytest.raises(ganlib.UserError, match=f"{group}=.* does nothing where .*: leave it at .*, or .*"):
            describe(method, changed(method, key))
    if group in keys.READ[method]:
        assert describe(method, context | changed(method, key)) != describe(method, context)
