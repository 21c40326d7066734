"""StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) on FFHQ at 256x256, configuration F.

python -m experiments.train_gan --config=experiments/configs/ffhq256_stylegan2.py --workdir=runs/ffhq256_stylegan2 \
  --config.dataset=folder:/data/ffhq

The settings are those of ``--cfg=paper256 --mirror=1 --aug=noaug`` in the PyTorch code of StyleGAN2-ADA (arXiv:2006.06676),
with half the channels of StyleGAN2: channels_base=16384. Its half precision is --config.precision=mixed_float16. The authors'
FID is about 3.7 (table 1, all images and their mirror images). Training takes 25 million images, about four days on eight
V100s. Not yet reproduced.
"""

from experiments.configs import base
from experiments.configs.cifar10_stylegan2_ada import lazy_adam


def get_config():
    config = base.gan()
    config.dataset = "folder:ffhq"
    config.image_size = 256
    config.networks = "stylegan2"
    config.batch_size = 64
    config.steps = 390_000
    config.generator.update(latent_dim=512, width=512, channels_base=16_384, mapping_layers=8, mixing=0.9)
    config.discriminator.update(width=512, channels_base=16_384, group_size=8)
    config.generator_optimizer = lazy_adam(4)
    config.discriminator_optimizer = lazy_adam(16)
    config.update_rule = "generator_first"
    config.mirror = True
    config.penalties.r1 = {"weight": 1.0, "interval": 16, "separate": True}
    config.penalties.path_length = {"weight": 2.0, "interval": 4, "separate": True}
    with config.ignore_type():
        config.ema_decay = {"half_life": {"half_life": 312.5}}  # 20,000 images
    return config
