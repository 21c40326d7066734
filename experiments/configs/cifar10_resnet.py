"""SNGAN's residual networks (Miyato et al. 2018, arXiv:1802.05957) on CIFAR-10, as `mnist_resnet`.

python -m experiments.train_gan --config=experiments/configs/cifar10_resnet.py --workdir=runs/cifar10_resnet

The paper's own setting is `cifar10_sngan`.
"""

from experiments.configs import mnist_resnet


def get_config():
    config = mnist_resnet.get_config()
    config.dataset = "cifar10"
    config.steps = 4000
    config.evaluate_every = 400
    return config
