"""Improved GAN (Salimans et al. 2016, arXiv:1606.03498) on scikit-learn's 8x8 digits with 5 labels a class.

python -m experiments.train_classifier --config=experiments/configs/digits_sgan.py --workdir=runs/digits_sgan

Test accuracy with --config.label_seed and --config.seed both 0, 1 and 2: 94.6, 96.0 and 97.8 %. Two cores take a
minute and 20 s. The baseline is `digits_cnn`.
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.dataset = "digits"
    config.labels_per_class = 5
    config.steps = 3000
    config.generator.update(latent_dim=64, width=64)
    config.discriminator.update(width=64, normalization="batch", dropout=0.3)
    config.generator_optimizer.learning_rate = 6e-4
    config.discriminator_optimizer.learning_rate = 6e-4
    config.augment = "translation"
    config.steps_per_execution = 10  # the steps are so short that the calls from Python count
    return config
