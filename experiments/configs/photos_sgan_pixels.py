"""A semi-supervised GAN (Salimans et al. 2016, arXiv:1606.03498) trained from scratch on the photos of a folder at 64x64: the
network of `photos_cnn` against DCGAN's generator (Radford et al. 2016, arXiv:1511.06434).

python -m experiments.train_classifier --config=experiments/configs/photos_sgan_pixels.py --workdir=runs/photos_sgan_pixels \
  --config.dataset=folder:photos --config.labels_per_class=20
"""

from experiments.configs import photos_cnn


def get_config():
    config = photos_cnn.get_config()
    config.method = "semi_supervised"
    config.generator.update(width=32, latent_dim=100)
    config.generator_optimizer.learning_rate = 5e-4
    config.labeled_batch_size = 32
    config.batch_size = 64
    config.labeled_augment = config.augment
    config.augment = "flip"
    return config
