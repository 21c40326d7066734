"""WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028) on CelebA at 64x64: residual networks, five discriminator steps.

python -m experiments.train_gan --config=experiments/configs/celeba64_wgan_gp.py --workdir=runs/celeba64_wgan_gp

The paper shows only images. The discriminator has no batch norm and no spectral norm. Adam has learning rate 1e-4, beta1 0 and
beta2 0.9. Training takes about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import celeba64_sngan


def get_config():
    config = celeba64_sngan.get_config()
    config.discriminator.spectral_norm = False
    config.generator_batch_factor = 1
    config.loss = "wasserstein"
    config.penalties.wgan_gp = {"weight": 10.0}
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 1e-4
    return config
