"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on CIFAR-10 with labels: the authors' preset, github.com/brownvc/R3GAN.

python -m experiments.train_gan --config=experiments/configs/cifar10_r3gan.py --workdir=runs/cifar10_r3gan

The paper's FID is 1.96 (50,000 images against the training set). Training has 390,000 steps of 512 images and takes days on
eight GPUs. The schedules of learning rates and weights end after 20 million images. Not yet reproduced; `cifar10_r3gan_cpu` is
a smaller version with measured results. As in the authors' command, real images are mirrored at random, and the updates of the
generator have real images of their own.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "cifar10"
    config.conditional = True
    config.networks = "r3gan"
    config.batch_size = 512
    config.steps = 390_000
    config.mirror = config.fresh_real_images = True
    config.generator.update(latent_dim=64, width=768, blocks=2, group_width=16)
    config.discriminator.update(width=768, blocks=2, group_width=16)
    published(config, gammas=(0.05, 0.005), half_life=5e6, until=2e7, probability=0.55)
    return config


def published(config, gammas, half_life, until, probability):
    """Sets the authors' recipe with their learning rates, from numbers that count images, as theirs do.

    Args:
        config: The config of a GAN, with its batch size.
        gammas: The initial and the final weight of R1 and R2.
        half_life: The final half-life of the averaged weights, in images.
        until: The end of the schedules, in images.
        probability: The final probability of ADA.
    """
    half_life, steps = half_life / config.batch_size, until / config.batch_size
    recipe(config, (2e-4, 5e-5), gammas, half_life, {"steps": steps}, probability)


def recipe(config, rates, gammas, half_life, until, probability=None):
    """Sets the authors' loss, penalties, optimizers and schedules in a config.

    Args:
        config: The config of a GAN.
        rates: The initial and the final learning rate.
        gammas: The initial and the final weight of R1 and R2.
        half_life: The final half-life of the averaged weights, in steps.
        until: The end of the schedules, in the format of `ganlib.training.schedules.from_config`: ``{"steps": ...}`` or
            ``{"share": ...}``.
        probability: The final probability of ADA; None for no augmentation. Defaults to None.
    """

    def cosine(start, end):
        return {"cosine": {"start": start, "end": end, **until}}

    config.loss = "relativistic"
    config.penalties.r1 = config.penalties.r2 = {"weight": cosine(*gammas)}
    adam = {"name": "adam", "learning_rate": cosine(*rates), "beta_1": 0.0, "beta_2": cosine(0.9, 0.99), "epsilon": 1e-8}
    config.generator_optimizer = config.discriminator_optimizer = {**adam, "corrected_epsilon": True}
    with config.ignore_type():
        config.ema_decay = {"half_life": {"half_life": cosine(0.0, float(half_life))}}
        if probability is not None:
            config.augment = "ada"
            config.ada.update(target=None, probability=cosine(0.0, probability))
