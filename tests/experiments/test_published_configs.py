"""The configs of published runs have the numbers of the authors' commands."""

import importlib
import math

import numpy as np
import pytest

from ganlib.methods import building
from ganlib.methods import gan as gan_method
from ganlib.networks import biggan
from ganlib.runs import Run
from ganlib.training import schedules
from tests.helpers import slow_beyond

# The authors' presets in train.py of github.com/brownvc/R3GAN, and the batch sizes of its commands.
R3GAN = {
    "cifar10_r3gan": {"batch": 512, "ema": 5e6, "until": 2e7, "aug": 0.55, "gamma": (0.05, 0.005)},
    "ffhq64_r3gan": {"batch": 256, "ema": 5e5, "until": 2e7, "aug": 0.3, "gamma": (2.0, 0.2)},
    "ffhq256_r3gan": {"batch": 256, "ema": 5e5, "until": 2e7, "aug": 0.3, "gamma": (150.0, 15.0)},
    "imagenet32_r3gan": {"batch": 4096, "ema": 5e7, "until": 2e8, "aug": 0.5, "gamma": (0.5, 0.05)},
    "imagenet64_r3gan": {"batch": 4096, "ema": 5e7, "until": 2e8, "aug": 0.4, "gamma": (1.0, 0.1)},
}


def config_of(name):
    return importlib.import_module(f"experiments.configs.{name}").get_config()


@pytest.mark.parametrize("name", R3GAN)
def test_r3gans_schedules_at_eleven_points(name):
    preset, config = R3GAN[name], config_of(name)
    assert config.batch_size == preset["batch"]
    assert config.mirror
    assert config.fresh_real_images
    assert not config.penalties.r1.get("augmented", False)
    adam = config.discriminator_optimizer
    assert (adam.beta_1, adam.epsilon, adam.corrected_epsilon) == (0.0, 1e-8, True)
    ours = {
        "rate": adam.learning_rate,
        "beta_2": adam.beta_2,
        "gamma": config.penalties.r2.weight,
        "aug": config.ada.probability,
        "ema": config.ema_decay,
    }
    ours = {key: schedules.from_config(value, config.steps) for key, value in ours.items()}

    def value_at(images, start, end):
        return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(images / preset["until"], 1.0)))

    for step in np.linspace(0, 1.2 * preset["until"] / preset["batch"], 11).round():
        images = step * preset["batch"]
        half_life = value_at(images, 0.0, preset["ema"])
        expected = {
            "rate": value_at(images, 2e-4, 5e-5),
            "beta_2": value_at(images, 0.9, 0.99),
            "gamma": value_at(images, *preset["gamma"]),
            "aug": value_at(images, 0.0, preset["aug"]),
            "ema": 0.5 ** (preset["batch"] / max(half_life, 1e-8)),
        }
        for key, schedule in ours.items():
            assert float(schedule(step)) == pytest.approx(expected[key], rel=1e-4, abs=1e-7), (key, step)


def test_projected_gans_average_and_optimizer_are_the_authors():
    """Half of min(20,000, 0.05 times the images seen) images: ema_kimg and ema_rampup in its training_loop.py."""
    config = config_of("ffhq256_projected")
    decay = schedules.from_config(config.ema_decay, config.steps)
    for step in (1, 10, 1000, 6250, 100_000):
        half_life = min(20_000, 0.05 * 64 * step)
        assert float(decay(step)) == pytest.approx(0.5 ** (64 / half_life), rel=1e-5)
    assert float(decay(0)) == 0.0
    assert config.batch_size == 64
    adam = config.discriminator_optimizer
    assert (adam.learning_rate, adam.beta_2) == pytest.approx((2e-4 * 16 / 17, 0.99 ** (16 / 17)))  # D_reg_interval is 16


def rates(config, which, steps):
    """Returns the learning rates of the updates with which the given steps begin and end."""
    updates = config.discriminator_steps if which == "discriminator" else 1
    optimizer = building.optimizer(config[f"{which}_optimizer"], config.steps, updates)
    values = []
    for step in steps:
        for update in {0, updates - 1}:
            optimizer.iterations.assign(step * updates + update)
            values.append(float(optimizer.learning_rate))
    return np.array(values).reshape(len(steps), -1)


SNGAN = {"cifar10_sngan": 2e-4, "cifar10_sngan_conditional": 2e-4, "cifar10_ssgan": 2e-4, "celeba64_sngan": 2e-4,
         "cifar10_sngan_consistency": 2e-4, "celeba64_wgan_gp": 1e-4}  # fmt: skip


@pytest.mark.parametrize("which", ["generator", "discriminator"])
@pytest.mark.parametrize("name", SNGAN)
def test_sngans_rates_fall_with_the_generator_steps(name, which):
    """lr * (1 - s / 100,000) at generator step s, in each of the five discriminator updates of a step too."""
    config = config_of(name)
    steps = [*(10_000 * k for k in range(10)), 20_000, 99_999]
    expected = SNGAN[name] * (1.0 - np.array(steps) / 100_000)
    assert (config.steps, config.discriminator_steps) == (100_000, 5)
    for values in rates(config, which, steps).T:  # those of the first and of the last update of a step
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-10)


def test_sngans_rates_on_imagenet_fall_during_the_last_50_000_steps():
    steps = [0, 200_000, 400_000, 410_000, 425_000, 449_999]
    expected = 2e-4 * np.array([1.0, 1.0, 1.0, 0.8, 0.5, 2e-5])
    np.testing.assert_allclose(rates(config_of("imagenet128_sngan"), "discriminator", steps)[:, 0], expected, rtol=1e-2)


@pytest.mark.parametrize("name", ["cifar10_biggan", "cifar10_biggan_lecam", "cifar10_reacgan"])
def test_biggans_average_begins_after_1000_iterations(name):
    """The authors' code copies the weights while its iteration, counted from 1, is below 1,000."""
    decay = schedules.from_config(config_of(name).ema_decay, 1)
    assert [float(decay(step)) for step in (0, 500, 998)] == [0.0, 0.0, 0.0]
    assert [float(decay(step)) for step in (999, 50_000)] == pytest.approx([0.9999, 0.9999])


@pytest.mark.parametrize(
    ("name", "half_life", "ramp"),
    [("cifar10_stylegan2_ada", 500_000, 0.05), ("ffhq256_stylegan2", 20_000, None), ("ffhq256_stylegan2_ada", 20_000, None)],
)
def test_stylegan2s_average_and_lazy_optimizers_at_eleven_points(name, half_life, ramp):
    """ema_kimg, ema_rampup, and the ratios of lazy regularization in the authors' train.py and training_loop.py."""
    config = config_of(name)
    decay = schedules.from_config(config.ema_decay, config.steps)
    for step in np.linspace(0, config.steps, 11).round():
        images = min(half_life, ramp * step * config.batch_size) if ramp else half_life
        expected = 0.5 ** (config.batch_size / max(images, 1e-8))
        value = float(decay(step)) if callable(decay) else decay
        assert value == pytest.approx(expected, rel=1e-4, abs=1e-8), step
    for which, interval in (("generator", 4), ("discriminator", 16)):
        adam, ratio = config[f"{which}_optimizer"], interval / (interval + 1)
        assert (adam.learning_rate, adam.beta_1, adam.beta_2) == pytest.approx((2.5e-3 * ratio, 0.0, 0.99**ratio))
    assert (config.penalties.r1.interval, config.penalties.r1.separate, config.update_rule) == (16, True, "generator_first")


@pytest.mark.parametrize("which", ["generator", "discriminator"])
@pytest.mark.parametrize("counts", slow_beyond([((2, 3),), ((1, 1),)], 1))
def test_rates_fall_with_the_steps_when_penalties_make_updates_of_their_own(which, counts):
    """StyleGAN2's R1 and path length take steps of the same optimizer. The rate must reach 0 with the last train step."""
    discriminator_steps, interval = counts
    config = config_of("digits_dcgan")
    config.steps, config.discriminator_steps, config.conditional = 24, discriminator_steps, False
    config.networks = "stylegan2"
    sizes = {"width": 8, "channels_base": 64}
    config.generator, config.discriminator = {"latent_dim": 8, "mapping_layers": 2, **sizes}, sizes
    config[f"{which}_optimizer"].linear_decay = 1.0
    config.penalties.r1 = {"weight": 1.0, "interval": interval, "separate": True}
    config.penalties.path_length = {"weight": 1.0, "interval": 2 * interval, "separate": True}
    gan = gan_method.build(Run("unused", "unused", config, {"image_shape": [8, 8, 1], "class_names": [], "num_examples": 9}))
    optimizer = getattr(gan, f"{which}_optimizer")
    batch = np.zeros((4 * discriminator_steps, 8, 8, 1), np.float32)
    for step in range(5):
        gan.train_on_batch(batch)
        start = float(config[f"{which}_optimizer"].learning_rate)
        assert float(optimizer.learning_rate) == pytest.approx(start * (1 - (step + 1) / 24)), step


def test_biggans_average_on_imagenet_begins_after_20000_iterations():
    """--ema_start 20000 in launch_BigGAN_bs256x8.sh, and the default of IC-GAN's code."""
    for name in ("imagenet128_biggan", "imagenet64_icgan"):
        decay = schedules.from_config(config_of(name).ema_decay, 1)
        assert [float(decay(step)) for step in (0, 10_000, 19_998, 19_999)] == pytest.approx([0.0, 0.0, 0.0, 0.9999])


def test_icgans_optimizers_are_the_authors():
    for which in ("generator", "discriminator"):
        adam = config_of("imagenet64_icgan")[f"{which}_optimizer"]
        assert (adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon) == (1e-4, 0.0, 0.999, 1e-6)


def test_reacgans_networks_are_studiogans():
    """src/models/big_resnet.py at 32x32: 192 channels in all blocks of the discriminator, 384 in those of the generator."""
    config = config_of("cifar10_reacgan")
    widths = biggan.DISCRIMINATOR_WIDTHS[32]
    assert {multiple * config.discriminator.width for multiple in (*widths[0], *widths[1])} == {192}
    assert {multiple * config.generator.width for multiple in biggan.GENERATOR_WIDTHS[32]} == {384}
    assert config.mirror


# Name of the config -> epochs, images, learning rate and the epoch from which it falls, of mnist_svhn_cifar10/train_*.py.
IMPROVED_GAN = {"mnist_improved_gan": (300, 60_000, 3e-3, 300), "cifar10_improved_gan": (1200, 50_000, 3e-4, 800)}


@pytest.mark.parametrize("name", IMPROVED_GAN)
def test_improved_gans_settings_are_the_authors(name):
    epochs, images, rate, constant = IMPROVED_GAN[name]
    config = config_of(name)
    assert (config.batch_size, config.steps) == (100, epochs * images // 100)
    assert (config.validation_per_class, config.augment, config.unlabeled_weight) == (0, "", 1.0)
    assert config.fresh_real_images
    assert config.generator.uniform_latents
    assert config.ema_decay == 0.9999  # avg += 0.0001 * (param - avg)
    assert config.generator_loss == ("feature_matching" if name.startswith("mnist") else "feature_matching_l1")
    for which in ("generator", "discriminator"):
        optimizer = building.optimizer(config[f"{which}_optimizer"], config.steps)
        assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon_in_root) == (0.5, 0.999, True)
        assert optimizer.get_config()["epsilon"] == 1e-8
        for epoch in range(0, epochs, epochs // 12):
            optimizer.iterations.assign(epoch * images // 100)
            expected = rate * min((epochs - epoch) / (epochs - constant), 1.0) if constant < epochs else rate
            assert float(optimizer.learning_rate) == pytest.approx(expected)


BAD_GAN = {"mnist_bad_gan_long": (599, 2000, 3e-3, 1e-3, 0.9999), "cifar10_bad_gan": (500, 1200, 6e-4, 3e-4, 0.999)}
"""Config -> steps of an epoch, epochs, learning rates of both networks, and beta2, in config.py and the trainers of Bad GAN."""


@pytest.mark.parametrize("name", BAD_GAN)
def test_bad_gans_rates_at_eleven_points(name):
    """lr * min(3 (1 - epoch / epochs), 1), which the authors update once in an epoch."""
    epoch, epochs, *expected, beta_2 = BAD_GAN[name]
    config = config_of(name)
    assert config.steps == epoch * epochs
    optimizers = {"discriminator": config.discriminator_optimizer, "generator": config.generator_optimizer}
    for (which, adam), rate, beta_1 in zip(optimizers.items(), expected, (0.5, 0.0), strict=True):
        optimizer = building.optimizer(adam, config.steps)
        assert (adam.beta_1, adam.beta_2, adam.epsilon, adam.corrected_epsilon) == (beta_1, beta_2, 1e-8, True), which
        for share in np.linspace(0, 1, 11):
            optimizer.iterations.assign(round(share * epochs) * epoch)
            assert float(optimizer.learning_rate) == pytest.approx(rate * min(3 * (1 - share), 1), rel=1e-4, abs=1e-9), share
    assert (config.ema_decay, config.batch_size) == (0.0, 100)
    assert (config.regularizers.to_dict(), config.generator_regularizers.to_dict()) == ({}, {})


def test_bad_gans_terms_are_those_of_the_authors():
    """mnist_trainer.py: squared feature matching, the density after 9,000 iterations. cifar_trainer.py: L1, and the encoder."""
    mnist, cifar = config_of("mnist_bad_gan_long"), config_of("cifar10_bad_gan")
    settings = mnist.bad_gan
    assert (settings.low_density_weight, settings.low_density_probability, settings.low_density_from_step) == (1e-4, 0.1, 9001)
    assert (settings.encoder_weight, settings.density_quantile, settings.density_batch_size) == (0.0, 0.1, 40)
    assert (settings.density_optimizer.learning_rate, settings.density.width, settings.density.blocks) == (2e-4, 160, 3)
    assert mnist.batch_size * settings.low_density_share == 30
    assert (mnist.fresh_real_images, cifar.fresh_real_images) == (True, False)
    assert (mnist.generator_loss, cifar.generator_loss) == ("feature_matching", "feature_matching_l1")
    assert (mnist.discriminator.noise, cifar.discriminator.noise) == (0.5, 0.05)
    assert (cifar.bad_gan.encoder_weight, cifar.bad_gan.low_density_weight) == (1e-2, 0.0)
    assert cifar.bad_gan.encoder_optimizer == cifar.generator_optimizer
    assert (cifar.discriminator.drops_channels, cifar.discriminator.dropout) == (True, 0.5)
