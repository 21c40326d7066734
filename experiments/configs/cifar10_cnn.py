"""`fashion_mnist_cnn` (after Radford et al. 2016, arXiv:1511.06434) on CIFAR-10 with 400 labels a class, of twice the width.

python -m experiments.train_classifier --config=experiments/configs/cifar10_cnn.py --workdir=runs/cifar10_cnn

The baseline of `cifar10_sgan`: on one core 45,000 steps of 20.7 ms take as long, a quarter of an hour, as 6,000 of the 155 ms
that one of that config takes. Not run to its end yet.
"""

from experiments.configs import fashion_mnist_cnn


def get_config():
    config = fashion_mnist_cnn.get_config()
    config.dataset = "cifar10"
    config.labels_per_class = 400
    config.discriminator.width = 64
    config.steps = 45_000
    return config
