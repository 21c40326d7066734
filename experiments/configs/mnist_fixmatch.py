"""FixMatch (Sohn et al. 2020, arXiv:2001.07685) on MNIST with 10 labels a class, on the network of `mnist_cnn`.

python -m experiments.train_classifier --config=experiments/configs/mnist_fixmatch.py --workdir=runs/mnist_fixmatch

`mnist_pseudo_labels` whose guesses, made on images that are shifted and turned a little, are labels of images that are bent and
have a rectangle cut out, too.

Test error over three label seeds 1.9 % ± 0.4 (docs/results.md), after three minutes on one core in bfloat16.
"""

from experiments.configs import mnist_pseudo_labels


def get_config():
    config = mnist_pseudo_labels.get_config()
    config.augment = "shift,affine"
    config.pseudo_labels.strong_augment = "shift,affine,elastic,cutout"
    return config
