"""`mnist_cnn_augmented` (after Radford et al. 2016, arXiv:1511.06434) on CIFAR-10 with 400 labels a class, of twice the width.

python -m experiments.train_classifier --config=experiments/configs/cifar10_cnn.py --workdir=runs/cifar10_cnn

The baseline of `cifar10_sgan`, with more steps, since each takes less time; how many take the same time is still to be
measured.
"""

from experiments.configs import mnist_cnn_augmented


def get_config():
    config = mnist_cnn_augmented.get_config()
    config.dataset = "cifar10"
    config.labels_per_class = 400
    config.augment = "shift,affine"
    config.discriminator.width = 64
    config.steps = 20_000
    return config
