"""Every key of a config changes the run or is refused: none is silently ignored."""

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
from ganlib.data import folders, opening, tfds_source
from ganlib.evaluation import classification
from ganlib.metrics import features, instances
from ganlib.models import linear_probe
from ganlib.runs import diagnosis, keys, report, warm_start
from ganlib.training import averaging, strategy
from ganlib.training.callbacks import StepCallback
from ganlib.training.distributed import DistributedModel

METHODS = list(keys.JOBS)
SGD = {"name": "sgd", "learning_rate": 0.1}
OTHERS = {
    "dataset": "folder:{data}", "data_dir": "/elsewhere", "classes": "3,7", "image_size": 16, "skip_corrupt": True,
    "background": "black", "fit": "pad", "label_file": "none", "file_column": "some", "label_column": "kind",
    "batch_size": 6, "steps": 7, "seed": 1, "networks": "dcgan", "generator": {"width": 6},
    "discriminator": {"width": 6}, "generator_optimizer": SGD, "discriminator_optimizer": SGD,
    "update_rule": "simultaneous", "augment": "translation", "ada.categories": "blit",
    "ada.probability": 0.3, "ada.target": 0.5, "ada.adjustment": 1000, "ada.interval": 2, "ada.strengths": {"color": 0.5},
    "accumulation_steps": 2,
    "non_finite": "skip", "ema_decay": 0.5, "precision": "mixed_bfloat16", "steps_per_execution": 2, "log_every": 7,
    "checkpoint_every": 7, "sample_every": 7, "evaluate_every": 7, "smoke": True, "conditional": True,
    "instances.features": "pixels", "instances.neighbors": 3, "instances.embedding_dim": 6, "instances.projected_dim": 5,
    "instances.kept": 9,
    "weights_from": "{gan}", "body_from": "{gan}", "frozen_layers": 1, "loss": "hinge", "penalties": {"r1": {"weight": 1.0}},
    "discriminator_steps": 2, "generator_batch_factor": 2, "fresh_real_images": True,
    "mirror": True, "top_k": 0.5, "metrics": "fid", "features": "inception_v3", "evaluation_samples": 50,
    "labels_per_class": 2, "label_seed": 1, "validation_per_class": 2, "test_split": "train",
    "selected_step": "best", "added_labels": "{added}",
    "unlabeled_dataset": "folder:{others}", "labeled_batch_size": 4, "class_sampling": "balanced", "class_weights": "balanced",
    "class_priors": "estimated",
    "unlabeled_weight": 0.5, "features_from": "{gan}",
    "generated_from": "{conditional}", "generated_images": 50, "freeze_features": True, "initial_head": "linear_probe",
    "labeled_augment": "shift",
    "generator_loss": "feature_matching_l1", "regularizers": {"conditional_entropy": {"weight": 0.1}},
    "generator_regularizers": {"pull_away": {"weight": 0.8}}, "pseudo_labels.threshold": 0.5,
    "pseudo_labels.strong_augment": "shift", "pseudo_labels.joint_pass": False, "pseudo_labels.weight_decay": 0.1,
    "triple_gan.classifier": {"width": 6}, "triple_gan.classifier_optimizer": SGD,
    "triple_gan.alpha": 0.3, "triple_gan.adversarial_weight": 0.3, "triple_gan.generated_weight": 0.3,
    "triple_gan.labeled_fraction": 0.3, "triple_gan.adversarial_loss": "saturating", "triple_gan.generated_from_step": 1,
    "triple_gan.pretraining_steps": 1,
    "bad_gan.encoder_weight": 0.1, "bad_gan.encoder": {"networks": "improved_mlp", "width": 6},
    "bad_gan.encoder_optimizer": SGD, "bad_gan.low_density_weight": 0.1, "bad_gan.low_density_probability": 0.3,
    "bad_gan.low_density_share": 0.5, "bad_gan.low_density_from_step": 1,
    "bad_gan.density": {"width": 3, "blocks": 1, "mixtures": 1},
    "bad_gan.density_optimizer": SGD, "bad_gan.density_steps": 7, "bad_gan.density_batch_size": 6,
    "bad_gan.density_quantile": 0.5,
}  # fmt: skip
"""Key -> another valid value. The paths in braces come from the fixture `paths`."""

FOLDER = {"dataset": "folder:{data}"}
ADA = {"augment": "ada"}
INSTANCES = {"instances.features": "pixels"}
DENSITY = {
    "bad_gan.low_density_weight": 0.01, "bad_gan.low_density_from_step": 0,
    "bad_gan.density": {"width": 2, "blocks": 1, "mixtures": 1},
}  # fmt: skip
READ_WITH = {
    "data_dir": {"dataset": "mnist"}, "skip_corrupt": {"dataset": "folder:{damaged}"}, "background": FOLDER,
    "fit": {"dataset": "folder:{wide}", "image_size": 8}, "label_file": FOLDER, "file_column": FOLDER, "label_column": FOLDER,
    "label_seed": {"labels_per_class": 2}, "ada.categories": ADA, "ada.probability": ADA, "ada.target": ADA,
    "ada.adjustment": ADA, "ada.interval": ADA, "ada.strengths": ADA,
    "instances.neighbors": INSTANCES, "instances.embedding_dim": INSTANCES,
    "instances.projected_dim": INSTANCES,
    "instances.kept": INSTANCES, "generator_batch_factor": {"discriminator_steps": 2},
    "fresh_real_images": {"gan": {"loss": "relativistic"}, "": {}}, "evaluation_samples": {"metrics": "fid"},
    "generated_images": {"generated_from": "{conditional}"},
    "evaluate_every": {"gan": {"metrics": "fid"}, "": {"validation_per_class": 2}},
    "selected_step": {"validation_per_class": 2, "evaluate_every": 1},
    "unlabeled_dataset": {
        "supervised": {"features_from": "config:digits_dcgan"}, "linear_probe": {"class_priors": "estimated"}, "": {},
    },
    **{f"bad_gan.{key}": DENSITY for key in (
        "low_density_probability", "low_density_share", "low_density_from_step", "density", "density_optimizer",
        "density_steps", "density_batch_size", "density_quantile",
    )},
    "bad_gan.low_density_weight": {"bad_gan.low_density_weight": 0.2, **DENSITY},
    "batch_size": {"supervised": {"labeled_batch_size": 4, "generated_from": "{conditional}", "generated_images": 20}, "": {}},
}  # fmt: skip
"""Key -> changes under which it is read, for all methods or, where they differ, by method."""


def leaves(config, prefix=""):
    """Yields the keys at all depths. The arguments of an optimizer or a network are a single key."""
    for key, value in config.items():
        nested = list(leaves(value, f"{prefix}{key}.")) if hasattr(value, "items") and "optimizer" not in key else []
        yield from nested or [f"{prefix}{key}"]


def defaults_of(method):
    return base.gan() if method == "gan" else base.classifier()


OF_THE_JOB = (
    "dataset", "data_dir", "classes", "image_size", "skip_corrupt", "background", "fit", "label_file",
    "file_column", "label_column", "batch_size", "steps", "smoke", "log_every",
    "checkpoint_every", "evaluate_every", "labels_per_class", "label_seed", "validation_per_class", "test_split",
    "labeled_batch_size", "class_sampling",
)  # fmt: skip
"""Keys that `experiments.train_classifier` reads in the same way for all methods. To save time, only two methods are tested."""

CASES = [
    (method, key)
    for method in METHODS
    for key in leaves(defaults_of(method))
    if key != "method"
    if not (method in ("triple_gan", "pseudo_labels", "bad_gan") and key in OF_THE_JOB)
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
    """Returns a config of a method whose model is built quickly."""
    config = defaults_of(method)
    config.update(method=method, networks="mlp", discriminator={"width": 8, "depth": 1})
    if "batch_size" in keys.READ[method]:
        config.batch_size = 8
    if "generator" in keys.READ[method]:
        config.generator.update(width=8, latent_dim=4, depth=1)
    if method == "triple_gan":
        config.triple_gan.classifier.update(width=8, depth=1)
    if method == "bad_gan":
        config.bad_gan.encoder_weight = 0.01
        config.bad_gan.encoder.update(networks="improved_mlp", width=8)
    return config


def pictures(folder, classes, suffix="train", width=8, seed=0):
    """Writes a folder with a few transparent images of height 8 in each class."""
    for name in classes:
        class_folder = folder / suffix / name
        class_folder.mkdir(parents=True)
        for index in range(10):
            pixels = np.random.default_rng((seed, index)).integers(0, 256, (8, width, 2), np.uint8)
            Image.fromarray(pixels, "LA").save(class_folder / f"{index}.png")


def table(folder):
    """Writes a table that names its images in two columns, in one of them only some, and has labels in two columns."""
    lines = ["file,label,some,kind"]
    for path in sorted(folder.rglob("*.png")):
        name, label = path.relative_to(folder).as_posix(), path.parent.name
        lines.append(f"{name},{label}2,{name if int(path.stem) < 7 else ''},{label}3")
    (folder / "labels.csv").write_text("\n".join(lines))


def identity(network):
    """Replaces the clone for a moving average, which takes as long to build as its network."""
    return network


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Paths of images with the shape of the digits, the same with a damaged file, and two GAN runs with checkpoints."""
    root = tmp_path_factory.mktemp("paths")
    for name, width in (("data", 8), ("damaged", 8), ("wide", 12)):
        pictures(root / name, "ab", "train", width)
        pictures(root / name, "ab", "test", width)
    pictures(root / "others", "ab", seed=1)
    (root / "damaged/train/a/broken.png").write_text("not an image")
    table(root / "data")
    source = data.open("digits")
    (root / "added").write_text("image,label\ndigits/train#0,7\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "clone_network", identity)
        for name, conditional in (("gan", False), ("conditional", True)):
            config = small("gan")
            config.update(conditional=conditional, seed=7)
            run = runs.start(root / name, config, source)
            run.write()
            checkpoints = run.checkpoints(runs.build(run))
            checkpoints.save()
            checkpoints.wait()
    return {path.name: str(path) for path in root.iterdir()}


open_digits = functools.cache(opening._open_digits)


class EndOfJob(Exception):
    """Raised in place of the last part of a job."""


@pytest.fixture(scope="module")
def descriptions():
    """A cache of `describe`: a run depends only on its config, so each config is described once."""
    return {}


@pytest.fixture
def describe(paths, descriptions, tmp_path, monkeypatch):
    """A function that takes a method and changes to its smallest config and returns a description of everything that the job
    would do. It raises the job's errors.

    The job runs unchanged except for `fit`, evaluation, nearest neighbors in feature space, and TFDS.
    """
    record, count = {}, iter(range(9))

    def fit(model, dataset, steps_per_epoch, callbacks, **_):
        if record:  # of a density model, which is trained first
            record["first"] = dict(record)
        attributes = {type(c).__name__: vars(c) for c in callbacks if isinstance(c, StepCallback)}
        record["callbacks"] = {
            name: {key: value for key, value in values.items() if isinstance(value, (int, float))}
            for name, values in attributes.items()
        }
        evaluate = attributes["LogMetrics"]["evaluate"]
        record["evaluation"] = [getattr(evaluate, name, "") for name in ("asked", "samples", "features")], evaluate is None
        record["best"] = attributes["LogMetrics"]["best"].name
        record["steps"], record["spec"] = steps_per_epoch, str(dataset.element_spec)
        record["batch"] = [digest(part) for part in flat(next(iter(dataset)))]
        record["networks"], record["compiled"] = model.get_config(), model.get_compile_config()
        record["weights"] = digest(*model.get_weights())
        record["trained"] = [v.path for v in model.trainable_variables]

    def calibrate(classifier, source, training_priors=None):
        record["calibrated_by"] = source and source.name
        return 1.0

    def probabilities(classifier, source):
        record["frequencies of"] = source.name
        return np.full((source.num_examples, classifier.num_classes), 1 / classifier.num_classes)

    def end(*arguments, **_):
        record["tested on"] = [argument.name for argument in arguments if hasattr(argument, "name")]
        raise EndOfJob

    def prepare(source, extractor, neighbors):
        vectors = np.random.default_rng(0).normal(size=(source.num_examples, 4)).astype(np.float32)
        count = source.num_examples
        return instances.Instances(vectors, (np.arange(count)[:, None] + np.arange(neighbors)) % count)

    def tfds(name, split, image_size, data_dir, fit, background):
        return data.from_arrays(
            f"{name}/{split}/{data_dir}", data.open("digits", split).images, data.open("digits", split).labels
        )

    def train_named_gan(config, workdir, *_, **__):
        record["gan"] = runs.open_data(config).name, config.to_json_best_effort()
        other = runs.open_run(paths["gan"])
        runs.Run(workdir, workdir, other.config, other.facts).write()
        (workdir / "checkpoints").symlink_to(f"{paths['gan']}/checkpoints")

    monkeypatch.setattr(DistributedModel, "fit", fit)
    monkeypatch.setattr(linear_probe.LinearProbe, "fit", fit)
    monkeypatch.setattr(opening, "_open_digits", open_digits)
    monkeypatch.setattr(report, "write", end)
    monkeypatch.setattr(classification, "calibrate", calibrate)
    monkeypatch.setattr(classification, "probabilities", probabilities)
    monkeypatch.setattr(classification, "test", end)
    monkeypatch.setattr(evaluation.Evaluation, "prepare", lambda self, model: None)
    monkeypatch.setattr(instances, "prepare", prepare)
    monkeypatch.setattr(
        features, "get", lambda name, source, cache_dir=None, test=None: types.SimpleNamespace(name=name, version="1")
    )
    monkeypatch.setattr(tfds_source, "open_tfds", tfds)
    monkeypatch.setattr(warm_start, "INITIALIZATION_IMAGES", 8)
    monkeypatch.setattr(averaging, "clone_network", identity)
    monkeypatch.setattr(strategy, "check_same", lambda *_: None)
    monkeypatch.setattr(diagnosis, "at_start", lambda *_: None)

    def description(method, changes):
        key = json.dumps([method, changes])
        if key not in descriptions:
            descriptions[key] = run(method, changes)
        return descriptions[key]

    def run(method, changes):
        keras.utils.clear_session(free_memory=False)  # so that layers get the same names
        record.clear()
        config = small(method)
        set_keys(config, filled_in(changes, paths))
        folder = tmp_path / str(next(count))
        job = train_gan if method == "gan" else train_classifier
        with monkeypatch.context() as patch:
            if method != "gan":
                patch.setattr(train_gan, "train", train_named_gan)
            try:
                job.train(config, folder)
            except EndOfJob:
                pass
            except ganlib.UserError as error:
                if "broken.png" not in str(error):
                    raise
                return str(error)
        facts = json.loads((folder / "run.json").read_text())
        record["facts"] = {name: facts[name] for name in ("data", "num_examples", "class_names", "image_shape")}
        record["read by later jobs"] = read_later(method, config, paths)
        return json.loads(json.dumps(record, default=str))

    return description


def read_later(method, config, paths):
    """Returns what `experiments.evaluate` reads from the config of a GAN, and `classify` from that of a classifier."""
    if method == "gan":
        return config.features
    return digest(folders.pictures(f"{paths['wide']}/train/a/0.png", (8, 8, 1), config.background, config.fit))


def filled_in(value, paths):
    """Replaces the names of paths in a value by these paths."""
    if isinstance(value, dict):
        return {key: filled_in(inner, paths) for key, inner in value.items()}
    return value.format(**paths) if isinstance(value, str) else value


def flat(batch):
    return batch if isinstance(batch, tuple) else (batch,)


def digest(*arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def changed(method, key):
    """Returns the changes that set a key to its other value, with the keys that must change along with it."""
    changes = {key: OTHERS[key]}
    if key == "networks":  # arguments of other networks
        changes |= {name: {} for name in ("generator", "discriminator", "triple_gan.classifier") if name in keys.READ[method]}
    if key == "generated_from":
        changes["generated_images"] = 20  # fewer take less time
    if key == "labeled_batch_size" and method == "supervised":
        changes["batch_size"] = 64
    if key == "features_from":
        replaced = {"triple_gan": {"triple_gan.classifier": {}}}
        replaced |= {name: {"discriminator": {}} for name in ("semi_supervised", "bad_gan")}
        changes |= replaced.get(method, {"discriminator": {}, "networks": "dcgan"})
    return changes


def with_features(method, context):
    """Returns a context without the networks that ``features_from`` replaces, if it sets this key."""
    return context | ({"discriminator": {}, "networks": "dcgan"} if "features_from" in context else {})


@pytest.mark.parametrize(
    ("method", "key"),
    [pytest.param(*case, marks=() if case[0] in ("gan", "semi_supervised") else pytest.mark.slow) for case in CASES],
)
def test_key_changes_the_run_or_is_refused(describe, method, key):
    assert key in OTHERS, f"add another value of {key} to OTHERS"
    context = READ_WITH.get(key, {})
    context = with_features(method, context.get(method, context.get("", context)))
    conditions = keys.READ[method].get(key)
    if conditions is None or not all(condition.holds(small(method)) for condition in conditions):
        message = r"[a-z_.]+=.* has no effect, because .*: set it to its default .*, or .*"
        with pytest.raises(ganlib.UserError, match=message) as error:
            describe(method, changed(method, key))
        assert str(error.value).startswith(f"{key}=")
    if conditions is not None:
        assert describe(method, context | changed(method, key)) != describe(method, context)


INVALID = {
    "dataset": "", "image_size": 0, "batch_size": 0, "steps": -1, "seed": -1, "generator_optimizer.learning_rate": -1.0,
    "discriminator_optimizer.beta_1": 1.5, "update_rule": "sometimes", "augment": "colr", "background": "colr", "fit": "padd",
    "ada.target": 2.0, "ada.interval": 0, "ada.categories": "colr", "accumulation_steps": 0, "non_finite": "go",
    "ema_decay": 1.5, "precision": "half", "steps_per_execution": 0, "log_every": -5, "checkpoint_every": -1,
    "evaluate_every": -1, "labels_per_class": 0, "label_seed": -1, "validation_per_class": -1, "instances.kept": 0,
    "frozen_layers": -1, "loss": "hing", "penalties": {"r1": {"weight": -1.0}}, "discriminator_steps": 0,
    "generator_batch_factor": 0, "fresh_real_images": "no", "mirror": "yes",
    "top_k": {"linear": {"start": 1.0, "end": 1.5, "steps": 5}}, "evaluation_samples": 1, "labeled_batch_size": 0,
    "class_sampling": "equal", "class_weights": "equal",
    "unlabeled_weight": -1.0, "generated_images": 0, "labeled_augment": "ada", "generator_loss": "feature_machting",
    "regularizers": {"manifold": {"weight": float("nan")}}, "generator_regularizers": {"pull_away": {"weight": -0.8}},
    "pseudo_labels.joint_pass": "yes", "pseudo_labels.weight_decay": -1.0,
    "pseudo_labels.threshold": 3.0, "pseudo_labels.strong_augment": "ada", "triple_gan.alpha": 1.5,
    "triple_gan.labeled_fraction": 1.5, "triple_gan.adversarial_loss": "saturated", "triple_gan.generated_from_step": -1,
    "triple_gan.pretraining_steps": 0.5,
    "triple_gan.generated_weight": -1.0, "triple_gan.classifier_optimizer": {"name": "adam", "beta_1": -0.5},
    "bad_gan.encoder_weight": -1.0, "bad_gan.encoder_optimizer": {"name": "adam", "beta_1": 1.0},
    "bad_gan.low_density_weight": -1.0, "bad_gan.low_density_probability": 1.5, "bad_gan.low_density_share": 0.0,
    "bad_gan.low_density_from_step": 0.5, "bad_gan.density_optimizer.learning_rate": -1.0, "bad_gan.density_steps": 0,
    "bad_gan.density_batch_size": 0, "bad_gan.density_quantile": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_invalid_value_is_refused_before_anything_is_written(tmp_path, method):
    job = train_gan if method == "gan" else train_classifier
    for key, value in INVALID.items():
        if key.partition(".")[0] not in defaults_of(method):
            continue
        config = small(method)
        set_keys(config, {key: value})
        with pytest.raises(ganlib.UserError) as error:
            job.train(config, tmp_path / "run")
        line = str(error.value)
        assert "\n" not in line
        assert key in line or line.startswith(("unknown", f"{key.partition('.')[0]}")), line
        assert "has no effect" not in line
    assert not (tmp_path / "run").exists()


def test_adaptive_augmentation_needs_a_discriminator(tmp_path):
    config = small("supervised")
    config.augment = "ada"
    with pytest.raises(ganlib.UserError, match="augment cannot be 'ada', which adapts to a discriminator"):
        train_classifier.train(config, tmp_path / "run")


def test_error_for_a_config_of_another_job_names_that_job(tmp_path):
    for config, job, right_job in (
        (small("gan"), train_classifier, "train_gan"),
        (small("supervised"), train_gan, "train_classifier"),
    ):
        with pytest.raises(ganlib.UserError, match=f"run python -m experiments.{right_job} with this config"):
            job.train(config, tmp_path)


def test_unknown_or_missing_key_is_reported(tmp_path):
    config = small("gan")
    config.stepz = 3
    with pytest.raises(ganlib.UserError, match="unknown config key: stepz. Did you mean 'steps'"):
        train_gan.train(config, tmp_path)
    del config.stepz, config.instances.kept
    with pytest.raises(ganlib.UserError, match="the config lacks the key instances.kept"):
        train_gan.train(config, tmp_path)


def edited(folder, change):
    """Edits config.json of a run to what an older version would have written."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def started(folder, config, defaults):
    """Starts or resumes a run, up to its training."""
    config = runs.checked(folder, config, defaults)
    run = runs.start(folder, config, data.open("digits"), defaults=defaults)
    folder.mkdir(exist_ok=True)
    run.write()
    return run


@pytest.mark.parametrize(
    ("method", "key", "value"), [("triple_gan", "labeled_fraction", 1.0), ("pseudo_labels", "joint_pass", False)]
)
def test_a_run_of_an_earlier_version_is_loaded_with_the_settings_that_it_had(tmp_path, method, key, value):
    started(tmp_path / "run", small(method), base.classifier()).write()

    def age(written):
        for setting in ("labeled_fraction", "adversarial_loss", "pretraining_steps", "joint_pass", "weight_decay"):
            written[method].pop(setting, None)

    edited(tmp_path / "run", age)
    assert getattr(runs.build(runs.open_run(tmp_path / "run")), key) == value


def test_settings_of_an_earlier_version_are_those_that_it_had():
    """Its Triple-GAN had labeled pairs alone as real ones. Other methods do not read the setting."""
    defaults, written = base.classifier(), base.classifier().to_dict()
    del written["triple_gan"]["labeled_fraction"]
    assert keys.filled({**written, "method": "triple_gan"}, defaults)["triple_gan"]["labeled_fraction"] == 1.0
    assert keys.filled({**written, "method": "supervised"}, defaults)["triple_gan"]["labeled_fraction"] == 1 / 401


def test_run_of_an_older_version_resumes(tmp_path, capsys):
    """Its config has keys that the older version ignored, lacks newer keys, and has a key that no longer exists."""
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
    config.update_rule = "simultaneous"  # its value at the first start
    assert started(tmp_path / "run", config, defaults).config.update_rule == "alternating"
    assert "note: update_rule='simultaneous' has no effect, because method is 'supervised'" in capsys.readouterr().out
    with pytest.raises(ganlib.UserError, match="update_rule='simultaneous' has no effect"):
        started(tmp_path / "new", config, defaults)
    config.update(update_rule="alternating", seed=1)
    with pytest.raises(ganlib.UserError, match="created with another config: seed 0 -> 1. Choose"):
        started(tmp_path / "run", config, defaults)


@pytest.mark.parametrize("accept_new_config", [False, True])
def test_gan_named_by_its_config_is_checked_before_training(tmp_path, monkeypatch, accept_new_config):
    trained = []
    monkeypatch.setattr(train_gan, "train", lambda config, folder, accept, **_: trained.append((config, accept)))
    config = small("supervised")
    config.update(generated_from="config:digits_dcgan", label_seed=3, labels_per_class=2)
    gans = train_classifier.gans_of(config, tmp_path)
    train_classifier.with_gans(config, gans, 20, accept_new_config)
    ((gan, accepted),) = trained
    assert (gan.label_seed, gan.conditional, gan.batch_size, accepted) == (3, True, 20, accept_new_config)
    config.generated_from = "config:digits_sgan"
    with pytest.raises(ganlib.UserError, match="config:digits_sgan is a classifier .*: pass the config of a GAN"):
        train_classifier.train(config, tmp_path, accept_new_config)
    config.generated_from, config.features_from = None, "config:digits_dcgan"  # trained on all images
    config.discriminator, config.networks = {}, "dcgan"
    ((gan, _),) = train_classifier.gans_of(config, tmp_path).values()
    assert gan.label_seed == 0
    assert len(trained) == 1


def test_features_of_a_classifier_do_not_change_the_networks_of_the_generator(paths):
    config = small("semi_supervised")
    config.update(networks="dcgan", features_from=paths["gan"])
    result = warm_start.with_features_of(config)
    assert (result.networks, result.discriminator.networks) == ("dcgan", "mlp")
    config = small("triple_gan")
    config.update(features_from=paths["gan"])
    result = warm_start.with_features_of(config)
    assert result.triple_gan.classifier.to_dict() == {"networks": "mlp", "width": 8, "depth": 1}
    assert result.discriminator == config.discriminator
