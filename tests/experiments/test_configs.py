import importlib
import pathlib
import re
import types

import numpy as np
import pytest
import tensorflow as tf

import experiments.configs
import ganlib
from experiments.configs import base
from ganlib import data, runs
from ganlib.methods import building
from ganlib.methods import gan as gan_method
from ganlib.networks import mlp, pretrained
from ganlib.runs import automatic, from_config, keys
from tests.helpers import slow_but

FOLDER = pathlib.Path(experiments.configs.__path__[0])
NAMES = sorted(p.stem for p in FOLDER.glob("*.py") if p.stem not in ("__init__", "base"))
SHARED_KEYS = {
    "dataset", "data_dir", "image_size", "batch_size", "steps", "seed", "networks", "generator", "discriminator", "augment",
    "ema_decay", "precision", "checkpoint_every", "sample_every", "evaluate_every", "smoke",
}  # fmt: skip
GAN_KEYS = SHARED_KEYS | {"loss", "penalties", "discriminator_steps"}


def module(name):
    return importlib.import_module(f"experiments.configs.{name}")


def test_documented_configs_exist():
    promised = ["cifar10_sngan", "cifar10_sngan_conditional", "digits_dcgan", "digits_sgan", "mnist_sgan"]
    promised += [f"{data}_{network}" for data in ("mnist", "fashion_mnist", "cifar10") for network in ("dcgan", "resnet")]
    assert set(promised) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_docstring_gives_paper_and_command(name):
    text = module(name).__doc__
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", text)
    assert f"--config=experiments/configs/{name}.py" in text


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_config_has_an_effect(name):
    config = module(name).get_config()
    keys.check(config, base.gan() if config.method == "gan" else base.classifier())


def test_keys_that_a_change_leaves_unused_are_reset(capsys):
    config = experiments.configs.load("digits_sgan", ["method=supervised"])
    assert (config.generator.to_dict(), config.generator_optimizer.learning_rate) == ({}, 2e-4)
    assert "note: reset to the default, because this change leaves it unused" in capsys.readouterr().out
    assert config == experiments.configs.load("digits_cnn")
    config = experiments.configs.load("digits_sgan", ["method=supervised", "update_rule=simultaneous"])
    with pytest.raises(ganlib.UserError, match="update_rule='simultaneous' has no effect, because method is 'supervised'"):
        keys.check(config, base.classifier())  # this key was set explicitly
    config = experiments.configs.load("cifar10_dcgan", ["metrics=''"])
    keys.check(config, base.gan())


CLASSES = {
    "celeb_a": 0,
    "folder:ffhq": 0,
    "folder:imagenet": 0,
    "imagenet2012": 1000,
    "imagenet_resized/32x32": 1000,
    "imagenet_resized/64x64": 1000,
}
SIZES = {
    "digits": 8,
    "mnist": 28,
    "fashion_mnist": 28,
    "cifar10": 32,
    "imagenet_resized/32x32": 32,
    "imagenet_resized/64x64": 64,
}
GREY = ("digits", "mnist", "fashion_mnist")


def opened(name, folder):
    """Returns the run of a config, made tiny by ``smoke``, with the image shape of its dataset."""
    config = module(name).get_config()
    config.smoke = True
    config = runs.smoke(config)
    size = config.image_size or SIZES[config.dataset]
    if size > 64:  # even narrower, because some networks have sixteen times the width at low resolutions
        for group in (config.generator, config.discriminator):
            if "backbone" not in group or "width" in group:  # the others are as wide as their backbone
                group.width = 2
    facts = {
        "image_shape": [size, size, 1 if config.dataset in GREY else 3],
        "class_names": [str(k) for k in range(CLASSES.get(config.dataset, 10))],
        "instance_dim": 16,
    }
    return runs.Run(folder, folder, config, facts)


GANS = [name for name in NAMES if module(name).get_config().method == "gan"]
RESUMED = {module(name).get_config().networks: name for name in reversed(GANS) if not name.startswith(("ffhq", "imagenet"))}
"""Networks -> the config that is also resumed: the first of those with small images."""


WITHOUT_EFFECT = {"dataset", "batch_size", "steps", "checkpoint_every", "sample_every", "evaluate_every", "keep_checkpoints"}
"""Keys that do not change a few steps on random images."""


def small_form(name):
    """Returns what distinguishes a GAN from others with ``smoke``, which replaces the backbone, as text."""
    run = opened(name, pathlib.Path())
    settings = {key: value for key, value in run.config.to_dict().items() if key not in WITHOUT_EFFECT}
    for optimizer in ("generator_optimizer", "discriminator_optimizer"):
        settings[optimizer] = sorted(settings[optimizer])
    return f"{run.image_shape} {settings}"


MNIST_FIRST = sorted(GANS, key=lambda name: not name.startswith("mnist"))
DIFFERENT_GANS = sorted({small_form(name): name for name in reversed(MNIST_FIRST)}.values())


@pytest.mark.parametrize("name", slow_but(DIFFERENT_GANS, "digits_", "mnist_", "cifar10_few_shot"))
def test_gan_trains_and_resumes(name, tmp_path):
    run = opened(name, tmp_path)
    assert set(run.config) >= GAN_KEYS
    steps = 2 if name in RESUMED.values() else 1
    run.config.update({key: automatic.gan(num_images=1000)[key] for key in automatic.unset(run.config)})
    run.config.update(batch_size=4, steps=steps, checkpoint_every=0, sample_every=0)
    run.config.discriminator_steps = min(run.config.discriminator_steps, 2)
    images = np.random.default_rng(0).integers(0, 256, (4 * run.config.discriminator_steps, *run.image_shape), np.uint8)
    data = (images, np.arange(len(images)) % 10) if run.config.conditional else images
    if run.config.instances.features:
        data = (images, np.ones((len(images), 16), np.float32) / 4)
    batches = lambda start_step: tf.data.Dataset.from_tensors(data).repeat()  # noqa: E731
    first = runs.build(run)
    # Tracing and sample grids take far longer than a few steps. Only MNIST's configs, which use most networks, test them.
    traced = run.config.dataset == "mnist"
    first.run_eagerly = not traced
    runs.fit(run, first, batches, samples=traced)
    assert int(first.step) == steps
    assert first.generate(2).shape == (2, *run.image_shape)
    if steps == 1:
        return
    run.config.steps = 3
    resumed = runs.build(run)
    resumed.run_eagerly = True
    runs.fit(run, resumed, batches, samples=False)
    assert int(resumed.step) == 3
    assert resumed.generate(2).shape == (2, *run.image_shape)


@pytest.mark.parametrize("name", sorted({*NAMES} - {*GANS}))
def test_classifier_has_the_shared_keys_and_builds(name, tmp_path):
    run = opened(name, tmp_path)
    assert set(run.config) >= SHARED_KEYS
    model = runs.build(run)
    assert model.classify(np.zeros((2, *run.image_shape), np.uint8)).shape == (2, 10)


WITH_BACKBONE = [name for name in NAMES if "efficientnet" in module(name).get_config().discriminator.get("backbone", "")]


@pytest.mark.parametrize("name", WITH_BACKBONE)
def test_the_layers_of_a_backbone_exist(name):
    """``smoke`` replaces the backbone and the names of its layers."""
    arguments = module(name).get_config().discriminator
    known = {key: arguments[key] for key in ("taps", "trainable_from") if key in arguments}
    taps = pretrained.load(arguments.backbone, (64, 64, 3), weights=None, **known).network.outputs
    assert len(taps) == (arguments.taps if isinstance(arguments.taps, int) else len(arguments.taps))


def test_config_is_loaded_with_overrides():
    config = experiments.configs.load("mnist_resnet", ["steps=7", "generator.width=5", "precision=mixed_float16"])
    assert (config.steps, config.generator.width, config.precision) == (7, 5, "mixed_float16")
    for pair in ("stepz=7", "generator.widht=5", "steps=many", "nothing.width=5"):
        with pytest.raises(ganlib.UserError, match=f"{pair} does not fit config 'mnist_resnet': ."):
            experiments.configs.load("mnist_resnet", [pair])
    with pytest.raises(ganlib.UserError, match="no config 'nothing': pass the name of a file"):
        experiments.configs.load("nothing")


def test_smoke_does_not_change_the_original_config():
    config = module("mnist_dcgan").get_config()
    assert runs.smoke(config) is config
    config.smoke = True
    assert (runs.smoke(config).steps, runs.smoke(config).generator.width) == (2, 8)
    assert config.steps > 2


def test_keys_that_gans_and_classifiers_share_have_the_same_defaults():
    gan, classifier = base.gan().to_dict(), base.classifier().to_dict()
    for key in (set(gan) & set(classifier)) - {"method"}:
        assert gan[key] == classifier[key]


@pytest.mark.parametrize("name", ["mnist_dcgan", "cifar10_sngan_conditional"])
def test_real_data_fits_its_config(name, tfds_dir):
    config = module(name).get_config()
    source = data.open(config.dataset, image_size=config.image_size, data_dir=tfds_dir)
    assert source.num_classes == 10


def test_schedules_of_both_optimizers_count_train_steps(monkeypatch):
    """Whatever the number of discriminator updates per step, its schedules end at the last step."""
    pair = lambda run, num_classes: (mlp.Generator((4, 4, 1), 2, 2), mlp.Discriminator((4, 4, 1), 2))  # noqa: E731
    monkeypatch.setattr(gan_method, "networks_of", pair)
    configs = {name: module(name).get_config() for name in NAMES}
    several = {name: config for name, config in configs.items() if config.get("discriminator_steps", 1) > 1}
    assert {"cifar10_sngan", "cifar10_biggan", "celeba64_wgan_gp"} <= set(several)
    for name, config in several.items():
        config.penalties, config.conditional, arguments = {}, False, config.discriminator_optimizer
        if arguments.get("name", "adam") == "adam":
            if "beta_2" in arguments:
                del arguments["beta_2"]
            arguments.beta_2 = {"linear": {"start": 0.5, "end": 0.75, "share": 1.0}}
        gan = from_config.build(types.SimpleNamespace(config=config, strategy=tf.distribute.get_strategy(), instances=None))
        optimizer, count = gan.discriminator_optimizer, config.discriminator_steps
        expected = building.optimizer(arguments, config.steps)
        for step in np.linspace(0, config.steps, 5).astype(int):
            expected.iterations.assign(step)
            for update in (0, count - 1):
                optimizer.iterations.assign(step * count + update)
                assert hyperparameters(optimizer) == hyperparameters(expected), (name, step, update)
        if "beta_2" in arguments:
            assert hyperparameters(optimizer)[1] == 0.75
        if arguments.get("linear_decay"):
            assert hyperparameters(optimizer)[0] == 0.0


def hyperparameters(optimizer):
    """Returns the learning rate and beta_2, if any, of the optimizer's next update."""
    return float(optimizer.learning_rate), float(getattr(optimizer, "beta_2", 0.0))
