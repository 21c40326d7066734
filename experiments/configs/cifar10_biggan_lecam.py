"""LeCam (Tseng et al. 2021, arXiv:2104.03310) with DiffAugment for a tenth of CIFAR-10, on `cifar10_biggan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_biggan_lecam.py --workdir=runs/cifar10_lecam

The paper's FID with a tenth of the images is 16.69, without LeCam 23.34 (its table 1, against the whole training set). About
a day on one GPU. It was not run here.
"""

from experiments.configs import cifar10_biggan


def get_config():
    config = cifar10_biggan.get_config()
    config.labels_per_class = 500
    config.augment = "translation,cutout"
    config.penalties.lecam = {"weight": 0.3}
    return config
