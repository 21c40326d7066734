"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on ImageNet at 32x32 with labels: the authors' preset.

python -m experiments.train_gan --config=experiments/configs/imagenet32_r3gan.py --workdir=runs/imagenet32_r3gan

The paper's FID is 1.27. Training takes days on many GPUs. Not yet reproduced.
"""

from experiments.configs import cifar10_r3gan


def get_config():
    config = cifar10_r3gan.get_config()
    config.dataset = "imagenet_resized/32x32"
    config.batch_size = 4096
    config.steps = 490_000
    for network in (config.generator, config.discriminator):
        network.update(width=1536, group_width=32)
    cifar10_r3gan.published(config, gammas=(0.5, 0.05), half_life=5e7, until=2e8, probability=0.5)
    return config
