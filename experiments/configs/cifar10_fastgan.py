"""FastGAN's generator (Liu et al. 2021, arXiv:2101.04775) with the discriminator of DCGAN and DiffAugment on CIFAR-10 enlarged
to 64x64, without labels, like `cells_fastgan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_fastgan.py --workdir=runs/cifar10_fastgan

Not run yet.
"""

from experiments.configs import cells_fastgan


def get_config():
    config = cells_fastgan.get_config()
    config.dataset = "cifar10"
    return config
