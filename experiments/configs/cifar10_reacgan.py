"""ReACGAN (Kang et al. 2021, arXiv:2111.01118) on CIFAR-10: BigGAN's networks with a contrastive loss between classes in the
discriminator.

python -m experiments.train_gan --config=experiments/configs/cifar10_reacgan.py --workdir=runs/cifar10_reacgan

The settings are those of StudioGAN, src/configs/CIFAR10/ReACGAN.yaml: 384 channels in the generator and 192 in the
discriminator, self-attention at 16x16, batch size 128, mirrored images, five discriminator steps, and an EMA that begins after
1,000 steps. The paper's FID is about 7.8. Training takes about two days on
one GPU. Not yet reproduced.
"""

from experiments.configs import cifar10_biggan


def get_config():
    config = cifar10_biggan.get_config()
    config.batch_size = 128
    config.discriminator_steps = 5
    config.steps = 100_000
    config.generator = {"latent_dim": 80, "width": 96, "embedding_dim": 128, "attention": 16}
    config.mirror = True
    config.discriminator = {"width": 48, "attention": 16, "conditioning": "contrastive"}
    adam = {"name": "adam", "learning_rate": 0.00028284271, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-6,
            "corrected_epsilon": True}  # fmt: skip
    config.generator_optimizer = config.discriminator_optimizer = adam
    config.penalties.contrastive_classification = {"weight": 0.5, "temperature": 0.5, "margin": 0.98}
    return config
