"""BigGAN (Brock et al. 2019, arXiv:1809.11096) on CIFAR-10 with labels.

python -m experiments.train_gan --config=experiments/configs/cifar10_biggan.py --workdir=runs/cifar10_biggan

The settings are those of the author's code, github.com/ajbrock/BigGAN-PyTorch, scripts/launch_cifar_ema.sh: batch size 50, four
discriminator steps, learning rate 2e-4, no attention. The paper reports an FID of 14.73 and an Inception score of 9.22. With
DiffAugment (Zhao et al. 2020, arXiv:2006.10738) such networks reach 8.7: add --config.augment=translation,cutout. Training
takes 500 epochs, about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "cifar10"
    config.conditional = True
    config.networks = "biggan"
    config.batch_size = 50
    config.discriminator_steps = 4
    config.steps = 125_000
    config.generator.update(latent_dim=128, width=64, embedding_dim=128)
    config.discriminator.update(width=64)
    config.loss = "hinge"
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.999}
    config.generator_optimizer = config.discriminator_optimizer = adam
    config.ema_decay = 0.9999
    return config
