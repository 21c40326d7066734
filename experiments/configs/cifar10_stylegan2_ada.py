"""StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676) on CIFAR-10 with labels: the authors' tuned settings.

python -m experiments.train_gan --config=experiments/configs/cifar10_stylegan2_ada.py --workdir=runs/cifar10_stylegan2_ada

The settings are those of ``--cfg=cifar --cond=1`` in the authors' PyTorch code: a discriminator without residuals and with
groups of 32 images, mapping networks of two layers in the generator and eight in the discriminator, no style mixing, no path
length regularization, R1 with weight 0.01 in a step of its own, and an EMA whose half-life is a twentieth of the images so
far, at most 500,000. As there, both learning rates and values of beta_2 are adjusted for lazy regularization, also the
generator's. The authors' half precision is --config.precision=mixed_float16.

The paper's FID is 2.42, the best of the evaluations of a training. Training takes 100 million images, about five days on two
V100s. Not yet reproduced; `cifar10_stylegan2_cpu` is a smaller version with measured results.
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
    config.discriminator.update(width=512, residual=False, group_size=32)
    config.generator_optimizer = lazy_adam(4)
    config.discriminator_optimizer = lazy_adam(16)
    config.update_rule = "generator_first"
    config.penalties.r1 = {"weight": 0.01, "interval": 16, "separate": True}
    config.augment = "ada"
    with config.ignore_type():
        ramp = {"linear": {"start": 0.0, "end": 7812.5, "steps": 156_250}}  # a twentieth of the steps so far
        config.ema_decay = {"half_life": {"half_life": ramp}}
    return config


def lazy_adam(interval, learning_rate=2.5e-3):
    """Returns the authors' Adam for a network with a penalty every ``interval`` steps, which makes a step of its own."""
    share = interval / (interval + 1)
    return {"name": "adam", "learning_rate": share * learning_rate, "beta_1": 0.0, "beta_2": 0.99**share, "epsilon": 1e-8,
            "corrected_epsilon": True}  # fmt: skip
