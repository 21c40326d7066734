"""DCGAN (Radford et al. 2016, arXiv:1511.06434) on CIFAR-10, as `mnist_dcgan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_dcgan.py --workdir=runs/cifar10_dcgan
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.dataset = "cifar10"
    config.steps = 5400
    config.evaluate_every = 500
    return config
