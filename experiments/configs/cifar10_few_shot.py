"""A few-shot baseline: `cifar10_dcgan` on 500 images of CIFAR-10, 50 per class, without data augmentation.

python -m experiments.train_gan --config=experiments/configs/cifar10_few_shot.py --workdir=runs/cifar10_few_shot

Expected results on in-domain features with seed 0 (docs/results.md), measured against all training images: FID 29.6, precision
0.94, recall 0.37. Training takes five to ten minutes on one core with --config.precision=mixed_bfloat16. For 2,000 images set
--config.labels_per_class=200.

The setup follows the comparisons of Zhao et al. 2020 (arXiv:2006.10738) and Karras et al. 2020 (arXiv:2006.06676).
`cifar10_few_shot_diffaugment` and `cifar10_few_shot_ada` use their augmentations.
"""

from experiments.configs import cifar10_dcgan


def get_config():
    config = cifar10_dcgan.get_config()
    config.labels_per_class = 50
    config.steps = 3000
    return config
