"""DiffAugment (Zhao et al. 2020, arXiv:2006.10738) on 500 images of CIFAR-10: `cifar10_few_shot` with color, translation and
cutout.

python -m experiments.train_gan --config=experiments/configs/cifar10_few_shot_diffaugment.py --workdir=runs/few_shot

Expected results on in-domain features with seed 0: FID 17.1, precision 0.89, recall 0.58. The FID without DiffAugment is 29.6
(docs/results.md).
"""

from experiments.configs import cifar10_few_shot


def get_config():
    config = cifar10_few_shot.get_config()
    config.augment = "color,translation,cutout"
    return config
