"""The features of a discriminator trained without labels (Radford et al. 2016, arXiv:1511.06434), fine-tuned on MNIST with 10
labels per class.

python -m experiments.train_classifier --config=experiments/configs/mnist_fine_tuned.py --workdir=runs/mnist_fine_tuned

The GAN is `mnist_dcgan_small`, which is trained first. To use a GAN that is already trained, set
--config.features_from=runs/NAME.

The test error over three label seeds is 6.0 % ± 1.8 (docs/results.md) after four minutes, including the GAN, on one core in
bfloat16.
"""

from experiments.configs import mnist_cnn_augmented


def get_config():
    config = mnist_cnn_augmented.get_config()
    config.discriminator = {}  # replaced by the GAN's
    config.features_from = "config:mnist_dcgan_small"
    config.discriminator_optimizer.learning_rate = 2e-4
    return config
