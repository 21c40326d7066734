"""Improved GAN (Salimans et al. 2016, arXiv:1606.03498) on scikit-learn's 8x8 digits with 5 labels per class.

python -m experiments.train_classifier --config=experiments/configs/digits_sgan.py --workdir=runs/digits_sgan

The test accuracies with --config.label_seed and --config.seed both set to 0, 1 and 2 are 94.6, 96.0 and 97.8 %. Training takes
a minute and 20 s on two cores. The baseline is `digits_cnn`.
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
    config.steps_per_execution = 10  # the steps are so short that calls from Python matter
    return config
