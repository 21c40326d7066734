"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on ImageNet at 64x64 with labels: the authors' preset.

python -m experiments.train_gan --config=experiments/configs/imagenet64_r3gan.py --workdir=runs/imagenet64_r3gan

The paper's FID is 2.09. Training takes days on many GPUs. Not yet reproduced.
"""

from experiments.configs import cifar10_r3gan, imagenet32_r3gan


def get_config():
    config = imagenet32_r3gan.get_config()
    config.dataset = "imagenet_resized/64x64"
    config.generator.full_width = config.discriminator.full_width = 64
    cifar10_r3gan.published(config, gammas=(1.0, 0.1), half_life=5e7, until=2e8, probability=0.4)
    return config
