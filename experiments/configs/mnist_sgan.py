"""Improved GAN (Salimans et al. 2016, arXiv:1606.03498) on MNIST with 10 labels a class.

python -m experiments.train_classifier --config=experiments/configs/mnist_sgan.py --workdir=runs/mnist_sgan

The paper's table 1 has 0.93 % test error for 100 labels, with an MLP of weight norm and noise; this is the
convolutional network of `digits_sgan`.
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.dataset = "mnist"
    config.labels_per_class = 10
    config.steps = 6000
    config.generator.update(latent_dim=100, width=64)
    config.discriminator.update(width=64, normalization="batch")
    config.generator_optimizer.learning_rate = 3e-4
    config.discriminator_optimizer.learning_rate = 3e-4
    return config
