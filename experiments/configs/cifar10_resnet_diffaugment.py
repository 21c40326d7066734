"""DiffAugment (Zhao et al. 2020, arXiv:2006.10738) on CIFAR-10: `cifar10_resnet` with color, translation and cutout.

python -m experiments.train_gan --config=experiments/configs/cifar10_resnet_diffaugment.py --workdir=runs/cifar10_diffaugment

Expected results on in-domain features over three seeds (docs/results.md): FID 33.4 ± 7.3, far worse than the 14.9 without
DiffAugment, because the augmentation slows down learning when all images are used for so few steps. Training takes ten to
twenty minutes on one core with --config.precision=mixed_bfloat16.
"""

from experiments.configs import cifar10_resnet


def get_config():
    config = cifar10_resnet.get_config()
    config.augment = "color,translation,cutout"
    return config
