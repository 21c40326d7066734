"""DCGAN (Radford et al. 2016, arXiv:1511.06434) on scikit-learn's 8x8 digits, with labels, R1 and DiffAugment.

python -m experiments.train_gan --config=experiments/configs/digits_dcgan.py --workdir=runs/digits_dcgan

Training takes half a minute on two cores. From step 1,000 on, most images clearly show the requested class.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "digits"
    config.conditional = True
    config.steps = 2000
    config.generator.update(latent_dim=64, width=64)
    config.discriminator.update(width=64, normalization=None)
    config.penalties.r1 = {"weight": 1.0, "interval": 4}
    config.augment = "translation"
    return config
