"""Self-supervised GAN (Chen et al. 2019, arXiv:1811.11212) on CIFAR-10 without labels: `cifar10_sngan` with rotation
prediction.

python -m experiments.train_gan --config=experiments/configs/cifar10_ssgan.py --workdir=runs/cifar10_ssgan

The paper's FID is 17.1, and 15.7 with self-modulated batch norm, which is not implemented. Training takes about a day on one
GPU. Not yet reproduced. A few-label classifier can start from its features: --config.features_from=config:cifar10_ssgan.
"""

from experiments.configs import cifar10_sngan


def get_config():
    config = cifar10_sngan.get_config()
    config.discriminator.rotations = True
    config.penalties.rotation_prediction = {"weight": 1.0, "generator_weight": 0.2}
    return config
