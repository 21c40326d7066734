"""LeCam (Tseng et al. 2021, arXiv:2104.03310) with DiffAugment on a tenth of CIFAR-10, based on `cifar10_biggan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_biggan_lecam.py --workdir=runs/cifar10_lecam

The settings are those of the authors' code, github.com/google/lecam-gan: mirrored images, 5,000 epochs, and a penalty that
counts after 1,000 steps. With a tenth of the images the paper reports an FID of 16.69, and 23.34 without LeCam (table 1,
measured against the whole training set). Training takes about a day on one GPU. Not yet reproduced.
"""

from experiments.configs import cifar10_biggan


def get_config():
    config = cifar10_biggan.get_config()
    config.labels_per_class = 500
    config.augment = "translation,cutout"
    config.mirror = True
    config.penalties.lecam = {"weight": 0.3, "decay": 0.9, "start": 1000}
    return config
