"""Self-supervised GAN (Chen et al. 2019, arXiv:1811.11212) on CIFAR-10 without labels: `cifar10_sngan` that predicts rotations.

python -m experiments.train_gan --config=experiments/configs/cifar10_ssgan.py --workdir=runs/cifar10_ssgan

The paper's FID is 17.1, with self-modulated batch norm, which is not here, 15.7. About a day on one GPU. It was not run here.
Its features start a classifier of few labels: --config.features_from=config:cifar10_ssgan.
"""

from experiments.configs import cifar10_sngan


def get_config():
    config = cifar10_sngan.get_config()
    config.discriminator.rotations = True
    config.penalties.rotation_prediction = {"weight": 1.0, "generator_weight": 0.2}
    return config
