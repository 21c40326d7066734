"""AC-GAN (Odena et al. 2017, arXiv:1610.09585) on CIFAR-10: `cifar10_dcgan`, whose discriminator tells the class
instead of being told.

python -m experiments.train_gan --config=experiments/configs/cifar10_acgan.py --workdir=runs/cifar10_acgan
"""

from experiments.configs import cifar10_dcgan


def get_config():
    config = cifar10_dcgan.get_config()
    config.discriminator.conditioning = "auxiliary"
    config.penalties.auxiliary_classification = {"weight": 1.0}
    return config
