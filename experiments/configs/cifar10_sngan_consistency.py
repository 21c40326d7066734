"""Consistency regularization (Zhang et al. 2020, arXiv:1910.12027) on CIFAR-10 without labels: `cifar10_sngan` with CR.

python -m experiments.train_gan --config=experiments/configs/cifar10_sngan_consistency.py --workdir=runs/cifar10_cr

The paper's FID with residual networks is 14.56. For bCR (Zhao et al. 2020, arXiv:2002.04724) use
--config.penalties.balanced_consistency.weight=10 instead. Training takes about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import cifar10_sngan


def get_config():
    config = cifar10_sngan.get_config()
    config.loss = "non_saturating"
    config.penalties.consistency = {"weight": 10.0, "augment": "flip,shift:0.125"}
    return config
