"""`mnist_cnn` (after Salimans et al. 2016, arXiv:1606.03498) with images shifted by up to 2 pixels.

python -m experiments.train_classifier --config=experiments/configs/mnist_cnn_augmented.py --workdir=runs/mnist_cnn_augmented
"""

from experiments.configs import mnist_cnn


def get_config():
    config = mnist_cnn.get_config()
    config.augment = "shift"
    return config
