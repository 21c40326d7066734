"""A GAN of few images: `cifar10_dcgan` on 500 of CIFAR-10's images, 50 a class, without any augmentation, to compare with.

python -m experiments.train_gan --config=experiments/configs/cifar10_few_shot.py --workdir=runs/cifar10_few_shot

To expect, on in-domain features and seed 0: FID 29.6, precision 0.94, recall 0.37 (docs/results.md), against all training
images. Five to ten minutes on one core with --config.precision=mixed_bfloat16. 2,000 images instead:
--config.labels_per_class=200.

As in the comparisons of Zhao et al. 2020 (arXiv:2006.10738) and of Karras et al. 2020 (arXiv:2006.06676), whose augmentations
are in `cifar10_few_shot_diffaugment` and `cifar10_few_shot_ada`.
"""

from experiments.configs import cifar10_dcgan


def get_config():
    config = cifar10_dcgan.get_config()
    config.labels_per_class = 50
    config.steps = 3000
    return config
