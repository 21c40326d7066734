"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) on FFHQ at 256x256, with FastGAN's generator and an EfficientNet
pretrained on ImageNet as the backbone of the discriminator.

python -m experiments.train_gan --config=experiments/configs/ffhq256_projected.py --workdir=runs/ffhq256_projected \
  --config.dataset=folder:/data/ffhq --config.precision=mixed_bfloat16

The paper's FID is 3.39 after 10 million images, 156,000 steps. Training takes about a day on eight GPUs and several days on
one. Not yet reproduced. The paper's EfficientNet-Lite0 is not in `keras.applications`, so the backbone is B0, which Keras
downloads (16 MB); without internet access set --config.discriminator.weights=FILE. The other settings follow the authors' code,
except that real and generated images are not blurred at first.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "folder:ffhq"
    config.image_size = 256
    config.networks = "projected"
    config.loss = "hinge"
    config.augment = "color,translation,cutout"
    config.steps = 156_000
    config.generator.update(latent_dim=256, width=128, normalization="sync_batch")
    config.discriminator.update(
        backbone="applications:EfficientNetB0",
        weights="imagenet",
        backbone_size=224,
        taps=4,
        width=64,
        normalization="sync_batch",
    )
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    config.generator_optimizer = config.discriminator_optimizer = adam
    config.features = "inception_2015"
    config.checkpoint_every = config.sample_every = 2000
    return config
