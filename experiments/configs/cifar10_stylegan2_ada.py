"""StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676) on CIFAR-10 with labels: the authors' tuned setting.

python -m experiments.train_gan --config=experiments/configs/cifar10_stylegan2_ada.py --workdir=runs/cifar10_stylegan2_ada

The paper's FID is 2.42. A mapping network of two layers, no mixing of styles, no path length regularization, R1 of weight 0.01;
100 million images, about five days on two V100s. It was not run here; `cifar10_stylegan2_cpu` was.
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
