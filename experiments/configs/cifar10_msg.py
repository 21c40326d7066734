"""MSG-GAN (Karnewar & Wang 2020, arXiv:1903.06048) on CIFAR-10 with labels, narrow enough for a CPU.

python -m experiments.train_gan --config=experiments/configs/cifar10_msg.py --workdir=runs/cifar10_msg

It does not learn yet: FID 86.3 on in-domain features after 2,800 steps, seed 0 (docs/results.md); `cifar10_dcgan` has 6.4.
One scale on the same network and budget: --config.generator.scales=1 --config.discriminator.scales=1. Loss and penalty are
those of `cifar10_dcgan`.
"""

from ml_collections.config_dict import placeholder

from experiments.configs import cifar10_dcgan


def get_config():
    config = cifar10_dcgan.get_config()
    config.networks = "multiscale"
    config.steps = 2800
    config.generator = {"latent_dim": 64, "width": 64, "channels_base": 1024, "scales": placeholder(int)}
    config.discriminator = {"width": 64, "channels_base": 1024, "scales": placeholder(int)}
    return config
