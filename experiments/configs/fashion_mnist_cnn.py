"""`mnist_cnn` (after Radford et al. 2016, arXiv:1511.06434) on Fashion-MNIST with 10 labels per class, with small random flips,
shifts, rotations, scalings and shears of the images: the baseline of `fashion_mnist_sgan`.

python -m experiments.train_classifier --config=experiments/configs/fashion_mnist_cnn.py --workdir=runs/fashion_mnist_cnn

The test error over three label seeds is 30.5 % ± 1.0, and 15.9 % ± 0.8 with --config.labels_per_class=100, after half a minute.
"""

from experiments.configs import mnist_cnn


def get_config():
    config = mnist_cnn.get_config()
    config.dataset = "fashion_mnist"
    config.augment = "flip,shift,affine"
    return config
