"""SNGAN (Miyato et al. 2018, arXiv:1802.05957) on CIFAR-10 without labels: the residual networks of the paper's table 4.

python -m experiments.train_gan --config=experiments/configs/cifar10_sngan.py --workdir=runs/cifar10_sngan

The settings are the paper's: hinge loss, Adam with learning rate 2e-4, beta1 0 and beta2 0.9, 5 discriminator steps with batch
size 64 per generator step with 128 images, and learning rates that decay linearly to 0. The paper reports an FID of 21.7 (5,000
images against the test set) and an Inception score of 8.22 after 100,000 generator steps. Training requires a GPU: on two cores
one step takes 13 s. Not yet reproduced.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "cifar10"
    config.networks = "resnet"
    config.generator.update(latent_dim=128, width=256)
    config.discriminator.update(width=128, spectral_norm=True)
    config.loss = "hinge"
    config.discriminator_steps = 5
    config.generator_batch_factor = 2
    config.steps = 100_000
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9, "epsilon": 1e-8, "linear_decay": 1.0}
    config.generator_optimizer = adam
    config.discriminator_optimizer = adam
    config.ema_decay = 0.9999
    config.log_every = 100
    config.checkpoint_every = config.sample_every = 1000
    return config
