"""ReACGAN (Kang et al. 2021, arXiv:2111.01118) on CIFAR-10: `cifar10_biggan` with a contrastive loss between classes in the
discriminator.

python -m experiments.train_gan --config=experiments/configs/cifar10_reacgan.py --workdir=runs/cifar10_reacgan

The paper's FID is about 7.8. Training takes about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import cifar10_biggan


def get_config():
    config = cifar10_biggan.get_config()
    config.discriminator.conditioning = "contrastive"
    config.penalties.contrastive_classification = {"weight": 0.5, "temperature": 0.5, "margin": 0.98}
    return config
