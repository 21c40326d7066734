"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) with EfficientNet-Lite1 on CIFAR-10 enlarged to 64x64, without labels,
like `cells_projected_lite1`.

python -m experiments.train_gan --config=experiments/configs/cifar10_projected_lite1.py --workdir=runs/cifar10_projected_lite1

Not run yet.
"""

from experiments.configs import cells_projected_lite1


def get_config():
    config = cells_projected_lite1.get_config()
    config.dataset = "cifar10"
    return config
