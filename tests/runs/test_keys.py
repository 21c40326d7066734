"""Every key of a config changes what a run is, or is refused: none is ignored without a word."""

import functools
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
from ganlib import data, evaluation, runs
from ganlib.data import folders, sources
from ganlib.evaluation import classification
from ganlib.metrics import features, instances
from ganlib.runs import keys, report, warm_start
from ganlib.training import averaging, strategy
from ganlib.training.callbacks import StepCallback
from ganlib.training.distributed import DistributedModel

METHODS = list(keys.JOBS)
SGD = {"name": "sgd", "learning_rate": 0.1}
OTHERS = {
    "dataset": "folder:{data}", "data_dir": "/elsewhere", "classes": "3,7", "image_size": 16, "skip_corrupt": True,
    "background": "black", "batch_size": 6, "steps": 7, "seed": 1, "networks": "dcgan", "generator": {"width": 6},
    "discriminator": {"width": 6}, "generator_optimizer": SGD, "discriminator_optimizer": SGD,
    "update_rule": "simultaneous", "augment": "translation", "ada.categories": "blit",
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
    "instances.kept": INSTANCES, "evaluation_samples": {"metrics": "fid"},
    "generated_images": {"generated_from": "{conditional}"},
    "evaluate_every": {"gan": {"metrics": "fid"}, "": {"validation_per_class": 2}},
    "unlabeled_dataset": {"supervised": {"features_from": "config:digits_dcgan"}, "": {}},
    "batch_size": {"supervised": {"labeled_batch_size": 4, "generated_from": "{conditional}", "generated_images": 20}, "": {}},
}  # fmt: skip
"""Key -> what it takes for it to be read, for all methods or, where that differs, by method."""


def leaves(config, prefix=""):
    """The keys at all depths; the arguments of an optimizer are one key, as those of a network are."""
    for key, value in config.items():
        inner = list(leaves(value, f"{prefix}{key}.")) if hasattr(value, "items") and "optimizer" not in key else []
        yield from inner or [f"{prefix}{key}"]


def defaults_of(method):
    return base.gan() if method == "gan" else base.classifier()


OF_THE_JOB = (
    "dataset", "data_dir", "classes", "image_size", "skip_corrupt", "background", "batch_size", "steps", "smoke", "log_every",
    "checkpoint_every", "evaluate_every", "labels_per_class", "label_seed", "validation_per_class", "test_split",
    "labeled_batch_size",
)  # fmt: skip
"""Keys that `experiments.train_classifier` reads for all methods alike: two of them stand for all four, to save time."""

CASES = [
    (method, key)
    for method in METHODS
    for key in leaves(defaults_of(method))
    if key != "method"
    if not (method in ("triple_gan", "pseudo_labels") and key in OF_THE_JOB)
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
    """A config of a method that is built in no time."""
    config = defaults_of(method)
    config.update(method=method, networks="mlp", batch_size=8, discriminator={"width": 8, "depth": 1})
    if "generator" in keys.READ[method]:
        config.generator.update(width=8, latent_dim=4, depth=1)
    if method == "triple_gan":
        config.triple_gan.classifier.update(width=8, depth=1)
    return config


def pictures(folder, classes, suffix="train"):
    """A folder of a few transparent pictures of 8x8 in each class."""
    for name in classes:
        place = folder / suffix / name
        place.mkdir(parents=True)
        for index in range(10):
            pixels = np.random.default_rng(index).integers(0, 256, (8, 8, 2), np.uint8)
            Image.fromarray(pixels, "LA").save(place / f"{index}.png")


def the_same(network):
    """In the place of a moving average: to make one takes as long as its network."""
    return network


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Paths: data of the same shape as the digits, the same with a damaged file, and two GANs as after their training."""
    root = tmp_path_factory.mktemp("given")
    for name in ("data", "damaged"):
        pictures(root / name, "ab")
        pictures(root / name, "ab", "test")
    (root / "damaged/train/a/broken.png").write_text("no picture")
    source = data.open("digits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "clone_network", the_same)
        for name, conditional in (("gan", False), ("conditional", True)):
            config = small("gan")
            config.update(conditional=conditional, seed=7)
            run = runs.start(root / name, config, source)
            run.write()
            checkpoints = run.checkpoints(runs.build(run))
            checkpoints.save()
            checkpoints.wait()
    return {path.name: str(path) for path in root.iterdir()}


open_digits = functools.cache(sources._open_digits)


class Described(Exception):
    """A job has come to its end."""


@pytest.fixture(scope="module")
def described():
    """What `describe` has found: a run is a function of its config, so that each is looked at once."""
    return {}


@pytest.fixture
def describe(given, described, tmp_path, monkeypatch):
    """A function from a method and changes of its smallest config to all that the job would do; it raises what the job does.

    The job runs as it is, but for `fit`, what is measured, neighbors in a space of features, and TFDS.
    """
    found, count = {}, iter(range(9))

    def fit(model, dataset, steps_per_epoch, callbacks, **_):
        attributes = {type(c).__name__: vars(c) for c in callbacks if isinstance(c, StepCallback)}
        found["callbacks"] = {
            name: {key: value for key, value in own.items() if isinstance(value, (int, float))}
            for name, own in attributes.items()
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
        return instances.Instances(own, (np.arange(source.num_examples)[:, None] + np.arange(neighbors)) % source.num_examples)

    def tfds(name, split, image_size, data_dir):
        return sources.from_arrays(
            f"{name}/{split}/{data_dir}", data.open("digits", split).images, data.open("digits", split).labels
        )

    def train_named_gan(config, workdir, *_, **__):
        found["gan"] = runs.open_data(config).name, config.to_json_best_effort()
        other = runs.open_run(given["gan"])
        runs.Run(workdir, workdir, other.config, other.facts).write()
        (workdir / "checkpoints").symlink_to(f"{given['gan']}/checkpoints")

    monkeypatch.setattr(DistributedModel, "fit", fit)
    monkeypatch.setattr(sources, "_open_digits", open_digits)
    monkeypatch.setattr(report, "write", end)
    monkeypatch.setattr(
        classification, "calibrate", lambda classifier, source: found.update(calibrated_by=source and source.name)
    )
    monkeypatch.setattr(classification, "test", end)
    monkeypatch.setattr(evaluation.Evaluation, "prepare", lambda self: None)
    monkeypatch.setattr(instances, "prepare", prepare)
    monkeypatch.setattr(features, "get", lambda name, source: types.SimpleNamespace(name=name, version="1"))
    monkeypatch.setattr(sources, "_open_tfds", tfds)
    monkeypatch.setattr(warm_start, "INITIALIZATION_IMAGES", 8)
    monkeypatch.setattr(averaging, "clone_network", the_same)
    monkeypatch.setattr(strategy, "check_same", lambda *_: None)

    def description(method, changes):
        known = json.dumps([method, changes])
        if known not in described:
            described[known] = run(method, changes)
        return described[known]

    def run(method, changes):
        keras.utils.clear_session(free_memory=False)  # layers get the same names
        found.clear()
        config = small(method)
        set_keys(config, filled_in(changes, given))
        folder = tmp_path / str(next(count))
        job = train_gan if method == "gan" else train_classifier
        with monkeypatch.context() as patch:
            if method != "gan":
                patch.setattr(train_gan, "train", train_named_gan)
            try:
                job.train(config, folder)
            except Described:
                pass
            except ganlib.UserError as error:
                if "broken.png" not in str(error):
                    raise
                return str(error)
        facts = json.loads((folder / "run.json").read_text())
        found["facts"] = {name: facts[name] for name in ("data", "num_examples", "class_names", "image_shape")}
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
    if key == "networks":  # those of other networks
        changes |= {name: {} for name in ("generator", "discriminator", "triple_gan.classifier") if name in keys.READ[method]}
    if key == "generated_from":
        changes["generated_images"] = 20  # fewer take less time
    if key == "labeled_batch_size" and method == "supervised":
        changes["batch_size"] = 64
    if key == "features_from":
        own = {"triple_gan": {"triple_gan.classifier": {}}, "semi_supervised": {"discriminator": {}}}
        changes |= own.get(method, {"discriminator": {}, "networks": "dcgan"})
    return changes


def with_features(method, context):
    """A context in which ``features_from`` may come in, without the networks that it replaces."""
    return context | ({"discriminator": {}, "networks": "dcgan"} if "features_from" in context else {})


@pytest.mark.parametrize(
    ("method", "key"),
    [pytest.param(*case, marks=() if case[0] in ("gan", "semi_supervised") else pytest.mark.slow) for case in CASES],
)
def test_a_key_changes_the_run_or_is_refused(describe, method, key):
    assert key in OTHERS, f"give {key} another value in OTHERS"
    context = READ_WITH.get(key, {})
    context = with_features(method, context.get(method, context.get("", context)))
    conditions = keys.READ[method].get(key)
    if conditions is None or not all(condition.holds(small(method)) for condition in conditions):
        with pytest.raises(ganlib.UserError, match=r"[a-z_.]+=.* does nothing where .*: leave it at .*, or .*") as refusal:
            describe(method, changed(method, key))
        assert str(refusal.value).startswith(f"{key}=")
    if conditions is not None:
        assert describe(method, context | changed(method, key)) != describe(method, context)


NONSENSE = {
    "dataset": "", "image_size": 0, "batch_size": 0, "steps": -1, "seed": -1, "generator_optimizer.learning_rate": -1.0,
    "discriminator_optimizer.beta_1": 1.5, "update_rule": "sometimes", "augment": "color", "background": "color",
    "ada.target": 2.0, "ada.interval": 0, "ada.categories": "color", "accumulation_steps": 0, "non_finite": "go",
    "ema_decay": 1.5, "precision": "half", "steps_per_execution": 0, "log_every": -5, "checkpoint_every": -1,
    "evaluate_every": -1, "labels_per_class": 0, "label_seed": -1, "validation_per_class": -1, "instances.kept": 0,
    "frozen_layers": -1, "loss": "hing", "penalties": {"r1": {"weight": -1.0}}, "discriminator_steps": 0,
    "top_k": {"linear": {"start": 1.0, "end": 1.5, "steps": 5}}, "evaluation_samples": 1, "labeled_batch_size": 0,
    "unlabeled_weight": -1.0, "generated_images": 0, "labeled_augment": "ada", "generator_loss": "feature_machting",
    "regularizers": {"manifold": {"weight": float("nan")}}, "generator_regularizers": {"pull_away": {"weight": -0.8}},
    "pseudo_labels.threshold": 3.0, "pseudo_labels.strong_augment": "ada", "triple_gan.alpha": 1.5,
    "triple_gan.generated_weight": -1.0, "triple_gan.classifier_optimizer": {"name": "adam", "beta_1": -0.5},
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_a_value_that_a_key_cannot_have_is_refused_before_anything_is_written(tmp_path, method):
    job = train_gan if method == "gan" else train_classifier
    for key, value in NONSENSE.items():
        if key.partition(".")[0] not in defaults_of(method):
            continue
        config = small(method)
        set_keys(config, {key: value})
        with pytest.raises(ganlib.UserError) as refusal:
            job.train(config, tmp_path / "run")
        line = str(refusal.value)
        assert "\n" not in line
        assert key in line or line.startswith(("unknown", f"{key.partition('.')[0]}")), line
        assert "does nothing" not in line
    assert not (tmp_path / "run").exists()


def test_an_augmentation_that_adapts_needs_a_discriminator(tmp_path):
    config = small("supervised")
    config.augment = "ada"
    with pytest.raises(ganlib.UserError, match="augment cannot be 'ada', which adapts itself to a discriminator"):
        train_classifier.train(config, tmp_path / "run")


def test_the_config_of_the_other_job_names_the_right_one(tmp_path):
    for config, job, right in (
        (small("gan"), train_classifier, "train_gan"),
        (small("supervised"), train_gan, "train_classifier"),
    ):
        with pytest.raises(ganlib.UserError, match=f"run python -m experiments.{right} with this config"):
            job.train(config, tmp_path)


def test_a_key_that_there_is_not_or_that_is_missing_is_named(tmp_path):
    config = small("gan")
    config.stepz = 3
    with pytest.raises(ganlib.UserError, match="unknown config key: stepz. Did you mean 'steps'"):
        train_gan.train(config, tmp_path)
    del config.stepz, config.instances.kept
    with pytest.raises(ganlib.UserError, match="the config lacks the key instances.kept"):
        train_gan.train(config, tmp_path)


def edited(folder, change):
    """Changes config.json of a run as an older version would have written it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def started(folder, config, defaults):
    """A run of a config, begun or gone on with, up to its training."""
    config = runs.checked(folder, config, defaults)
    run = runs.start(folder, config, data.open("digits"), defaults=defaults)
    folder.mkdir(exist_ok=True)
    run.write()
    return run


def test_a_run_of_an_older_version_goes_on(tmp_path, capsys):
    """With keys that it ignored, without keys that it did not know, and with one that there is no more."""
    config, defaults = small("supervised"), base.classifier()
    started(tmp_path / "run", config, defaults)

    def age(written):
        written["generator"] = {"width": 3}
        written["update_rule"] = "simultaneous"
        del written["non_finite"], written["triple_gan"], written["pseudo_labels"]["strong_augment"]
        written["gone"] = 1

    edited(tmp_path / "run", age)
    started(tmp_path / "run", config, defaults)
    assert "gone" not in json.loads((tmp_path / "run/config.json").read_text())
    edited(tmp_path / "run", age)
    config.update_rule = "simultaneous"  # as it was begun with
    assert started(tmp_path / "run", config, defaults).config.update_rule == "alternating"
    assert "note: update_rule='simultaneous' does nothing where method is 'supervised'" in capsys.readouterr().out
    with pytest.raises(ganlib.UserError, match="update_rule='simultaneous' does nothing"):
        started(tmp_path / "new", config, defaults)
    config.update(update_rule="alternating", seed=1)
    with pytest.raises(ganlib.UserError, match="made with another config: seed 0 -> 1. Choose"):
        started(tmp_path / "run", config, defaults)


@pytest.mark.parametrize("accept_new_config", [False, True])
def test_a_gan_named_by_its_config_is_checked_before_anything_is_trained(tmp_path, monkeypatch, accept_new_config):
    trained = []
    monkeypatch.setattr(train_gan, "train", lambda config, folder, accept, **_: trained.append((config, accept)))
    config = small("supervised")
    config.update(generated_from="config:digits_dcgan", label_seed=3, labels_per_class=2)
    gans = train_classifier.gans_of(config, tmp_path)
    train_classifier.with_gans(config, gans, 20, accept_new_config)
    ((gan, accepted),) = trained
    assert (gan.label_seed, gan.conditional, gan.batch_size, accepted) == (3, True, 20, accept_new_config)
    config.generated_from = "config:digits_sgan"
    with pytest.raises(ganlib.UserError, match="config:digits_sgan is of a classifier .*: name the config of a GAN"):
        train_classifier.train(config, tmp_path, accept_new_config)
    config.generated_from, config.features_from = None, "config:digits_dcgan"  # it learns from all images
    config.discriminator, config.networks = {}, "dcgan"
    ((gan, _),) = train_classifier.gans_of(config, tmp_path).values()
    assert gan.label_seed == 0
    assert len(trained) == 1


def test_a_classifiers_features_leave_the_generators_networks_alone(given):
    config = small("semi_supervised")
    config.update(networks="dcgan", features_from=given["gan"])
    found = warm_start.with_features_of(config)
    assert (found.networks, found.discriminator.networks) == ("dcgan", "mlp")
    config = small("triple_gan")
    config.update(features_from=given["gan"])
    found = warm_start.with_features_of(config)
    assert found.triple_gan.classifier.to_dict() == {"networks": "mlp", "width": 8, "depth": 1}
    assert found.discriminator == config.discriminator
