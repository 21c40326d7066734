"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) on CIFAR-10 enlarged to 64x64, without labels, like `cells_projected`.

python -m experiments.train_gan --config=experiments/configs/cifar10_projected.py --workdir=runs/cifar10_projected

Not run yet.
"""

from experiments.configs import cells_projected


def get_config():
    config = cells_projected.get_config()
    config.dataset = "cifar10"
    return config
