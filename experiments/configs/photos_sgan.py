"""A semi-supervised GAN (Salimans et al. 2016, arXiv:1606.03498) in the feature space of EfficientNet-Lite0 on a folder of
photos: the generator makes features, and the classifier distinguishes them from those of the photos.

python -m experiments.train_classifier --config=experiments/configs/photos_sgan.py --workdir=runs/photos_sgan \
  --config.dataset=folder:photos --config.labels_per_class=20
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.method = "semi_supervised"
    config.dataset = "folder:photos"
    config.networks = "feature_space"
    config.steps = 1000
    config.batch_size = 100
    config.labeled_batch_size = 32
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 1e-3
    config.ema_decay = 0.99
    config.class_priors = "estimated"
    return config
