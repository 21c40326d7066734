"""BigGAN (Brock et al. 2019, arXiv:1809.11096) on CIFAR-10 with labels.

python -m experiments.train_gan --config=experiments/configs/cifar10_biggan.py --workdir=runs/cifar10_biggan

The settings are those of the author's code, github.com/ajbrock/BigGAN-PyTorch, scripts/launch_cifar_ema.sh: batch size 50, four
discriminator steps, learning rate 2e-4, no attention, no hierarchical latents, a gain and a bias for each class, weights from
N(0, 0.02), and an EMA that begins after 1,000 steps. The paper reports an FID of 14.73 and an Inception score of 9.22. With
DiffAugment (Zhao et al. 2020, arXiv:2006.10738) such networks reach 8.7: add --config.augment=translation,cutout
--config.mirror=True --config.steps=250000. Training takes 500 epochs, about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "cifar10"
    config.conditional = True
    config.networks = "biggan"
    config.batch_size = 50
    config.discriminator_steps = 4
    config.steps = 125_000
    normal = {"class_name": "RandomNormal", "config": {"stddev": 0.02}}
    config.generator.update(latent_dim=128, width=64, hierarchical=False, shared_embedding=False, initializer=normal)
    config.discriminator.update(width=64, initializer=normal)
    config.loss = "hinge"
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.999, "epsilon": 1e-8, "corrected_epsilon": True}
    config.generator_optimizer = config.discriminator_optimizer = adam
    with config.ignore_type():
        config.ema_decay = {"linear": {"start": 0.0, "end": 0.9999, "steps": 1, "begin": 998}}
    return config
