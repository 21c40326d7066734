"""SNGAN (Miyato et al. 2018, arXiv:1802.05957) on CelebA at 64x64.

python -m experiments.train_gan --config=experiments/configs/celeba64_sngan.py --workdir=runs/celeba64_sngan

The paper reports no result on this dataset. Mimicry (Lee & Town 2020, arXiv:2005.02494) reports an FID of 5.71 at 64x64 and of
12.93 at 128x128, after 100,000 steps. Training takes about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import cifar10_sngan


def get_config():
    config = cifar10_sngan.get_config()
    config.dataset = "celeb_a"
    config.image_size = 64
    config.generator.width = config.discriminator.width = 64
    return config
