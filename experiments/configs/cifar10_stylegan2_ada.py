"""StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676) on CIFAR-10 with labels: the authors' tuned settings.

python -m experiments.train_gan --config=experiments/configs/cifar10_stylegan2_ada.py --workdir=runs/cifar10_stylegan2_ada

The paper's FID is 2.42. The settings are a mapping network of two layers, no style mixing, no path length regularization, and
R1 with weight 0.01. Training takes 100 million images, about five days on two V100s. Not yet reproduced;
`cifar10_stylegan2_cpu` is a smaller version with measured results.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "cifar10"
    config.conditional = True
    config.networks = "stylegan2"
    config.batch_size = 64
    config.steps = 1_562_500
    config.generator.update(latent_dim=512, width=512, mapping_layers=2, mixing=0.0)
    config.discriminator.update(width=512)
    adam = {"name": "adam", "learning_rate": 2.5e-3, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    config.generator_optimizer = config.discriminator_optimizer = adam
    config.penalties.r1 = {"weight": 0.01, "interval": 16}
    config.augment = "ada"
    with config.ignore_type():
        config.ema_decay = {"half_life": {"half_life": 7812}}
    return config
