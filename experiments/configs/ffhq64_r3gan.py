"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on FFHQ at 64x64: the authors' preset.

python -m experiments.train_gan --config=experiments/configs/ffhq64_r3gan.py --workdir=runs/ffhq64_r3gan \
  --config.dataset=folder:/data/ffhq

The paper's FID is 1.95. It takes many GPUs for days and was not run here.
"""

from experiments.configs import base, cifar10_r3gan


def get_config():
    config = base.gan()
    config.dataset = "folder:ffhq"
    config.image_size = 64
    config.networks = "r3gan"
    config.batch_size = 256
    config.steps = 580_000
    config.generator.update(latent_dim=64, width=768, blocks=2, group_width=16)
    config.discriminator.update(width=768, blocks=2, group_width=16)
    cifar10_r3gan.recipe(config, rates=(2e-4, 5e-5), gammas=(2.0, 0.2), half_life=1953, probability=0.3, decay_steps=78_125)
    return config
