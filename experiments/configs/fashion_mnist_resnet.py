"""SNGAN's residual networks (Miyato et al. 2018, arXiv:1802.05957) on Fashion-MNIST, as `mnist_resnet`.

python -m experiments.train_gan --config=experiments/configs/fashion_mnist_resnet.py --workdir=runs/fashion_mnist_resnet
"""

from experiments.configs import mnist_resnet


def get_config():
    config = mnist_resnet.get_config()
    config.dataset = "fashion_mnist"
    return config
