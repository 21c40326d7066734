"""The configs of published runs have the numbers of the authors' commands."""

import importlib
import math

import numpy as np
import pytest

from ganlib.training import schedules

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
