"""SNGAN with labels on CIFAR-10: the networks of `cifar10_sngan` with conditional batch norm and projection (Miyato & Koyama
2018, arXiv:1802.05637).

python -m experiments.train_gan --config=experiments/configs/cifar10_sngan_conditional.py --workdir=runs/cifar10_cond

The paper reports an FID of 17.5 and an Inception score of 8.62 (table 1, for CIFAR-10) after 100,000 generator steps. Training
requires a GPU, like `cifar10_sngan`. Not yet reproduced.
"""

from experiments.configs import cifar10_sngan


def get_config():
    config = cifar10_sngan.get_config()
    config.conditional = True
    return config
