"""StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) on FFHQ at 256x256, configuration F.

python -m experiments.train_gan --config=experiments/configs/ffhq256_stylegan2.py --workdir=runs/ffhq256_stylegan2 \
  --config.dataset=folder:/data/ffhq

The authors' FID at 256x256 is about 3.7 (arXiv:2006.06676, table 1, all images and their mirror images, with half the channels:
channels_base=16384). Training takes 25 million images, about four days on eight V100s. Not yet reproduced.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "folder:ffhq"
    config.image_size = 256
    config.networks = "stylegan2"
    config.batch_size = 64
    config.steps = 390_000
    config.generator.update(latent_dim=512, width=512, channels_base=16_384, mapping_layers=8, mixing=0.9)
    config.discriminator.update(width=512, channels_base=16_384)
    adam = {"name": "adam", "learning_rate": 2.5e-3, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    config.generator_optimizer = config.discriminator_optimizer = adam
    config.penalties.r1 = {"weight": 1.0, "interval": 16}
    config.penalties.path_length = {"weight": 2.0, "interval": 4}
    with config.ignore_type():
        config.ema_decay = {"half_life": {"half_life": 312}}
    return config
