"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on FFHQ at 64x64: the authors' preset.

python -m experiments.train_gan --config=experiments/configs/ffhq64_r3gan.py --workdir=runs/ffhq64_r3gan \
  --config.dataset=folder:/data/ffhq

The paper's FID is 1.95. Training takes days on many GPUs. Not yet reproduced.
"""

from experiments.configs import cifar10_r3gan


def get_config():
    config = cifar10_r3gan.get_config()
    config.dataset = "folder:ffhq"
    config.image_size = 64
    config.conditional = False
    config.batch_size = 256
    config.steps = 580_000
    cifar10_r3gan.published(config, gammas=(2.0, 0.2), half_life=5e5, until=2e7, probability=0.3)
    return config
