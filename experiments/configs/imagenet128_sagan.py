"""SAGAN (Zhang et al. 2019, arXiv:1805.08318) on ImageNet at 128x128 with labels: `imagenet128_sngan` with self-attention at
32x32.

python -m experiments.train_gan --config=experiments/configs/imagenet128_sagan.py --workdir=runs/imagenet128_sagan

The paper reports an FID of 18.65 and an Inception score of 52.52. The settings are one discriminator step, learning rates 1e-4
and 4e-4, and a million steps of 256 images. Training takes about two weeks on four GPUs. Not yet reproduced.
"""

from experiments.configs import imagenet128_sngan


def get_config():
    config = imagenet128_sngan.get_config()
    config.generator.attention = config.discriminator.attention = 32
    config.generator.spectral_norm = True
    config.discriminator.wide = True
    config.discriminator_steps = config.generator_batch_factor = 1
    config.steps = 1_000_000
    config.generator_optimizer = {"name": "adam", "learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9}
    config.discriminator_optimizer = {"name": "adam", "learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.9}
    return config
