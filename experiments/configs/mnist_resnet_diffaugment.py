"""DiffAugment (Zhao et al. 2020, arXiv:2006.10738) on MNIST: translation and cutout for `mnist_resnet`.

python -m experiments.train_gan --config=experiments/configs/mnist_resnet_diffaugment.py --workdir=runs/mnist_diffaugment

It was not run yet; it is made for twenty minutes on one core.
"""

from experiments.configs import mnist_resnet


def get_config():
    config = mnist_resnet.get_config()
    config.augment = "translation,cutout"
    return config
