"""DCGAN (Radford et al. 2016, arXiv:1511.06434) on Fashion-MNIST, as `mnist_dcgan`.

python -m experiments.train_gan --config=experiments/configs/fashion_mnist_dcgan.py --workdir=runs/fashion_mnist_dcgan
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.dataset = "fashion_mnist"
    return config
