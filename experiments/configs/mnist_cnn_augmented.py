"""`mnist_cnn` (after Radford et al. 2016, arXiv:1511.06434) with data augmentation: small random shifts, rotations, scalings,
shears and elastic deformations.

python -m experiments.train_classifier --config=experiments/configs/mnist_cnn_augmented.py --workdir=runs/mnist_cnn_augmented

The test error over three label seeds is 5.6 % ± 1.6 after half a minute.
"""

from experiments.configs import mnist_cnn


def get_config():
    config = mnist_cnn.get_config()
    config.augment = "shift,affine,elastic"
    return config
