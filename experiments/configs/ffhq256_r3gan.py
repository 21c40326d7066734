"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on FFHQ at 256x256: the authors' preset.

python -m experiments.train_gan --config=experiments/configs/ffhq256_r3gan.py --workdir=runs/ffhq256_r3gan \
  --config.dataset=folder:/data/ffhq

The paper's FID is 2.75. Training takes days on many GPUs. Not yet reproduced.
"""

from experiments.configs import cifar10_r3gan, ffhq64_r3gan


def get_config():
    config = ffhq64_r3gan.get_config()
    config.image_size = 256
    cifar10_r3gan.published(config, gammas=(150.0, 15.0), half_life=5e5, until=2e7, probability=0.3)
    return config
