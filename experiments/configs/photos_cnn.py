"""A convolutional network trained from scratch on the labeled photos of a folder at 64x64: the baseline of the classifiers on
ImageNet features. The network is DCGAN's discriminator (Radford et al. 2016, arXiv:1511.06434).

python -m experiments.train_classifier --config=experiments/configs/photos_cnn.py --workdir=runs/photos_cnn \
  --config.dataset=folder:photos --config.labels_per_class=20
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.method = "supervised"
    config.dataset = "folder:photos"
    config.image_size = 64
    config.networks = "dcgan"
    config.discriminator.width = 32
    config.steps = 800
    config.batch_size = 32
    config.discriminator_optimizer = {"name": "adam", "learning_rate": 5e-4, "beta_1": 0.5, "linear_decay": 0.5}
    config.augment = "flip,shift,affine"
    config.ema_decay = 0.99
    config.class_priors = "estimated"
    config.checkpoint_every = 0
    return config
