"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) on the last five classes of CIFAR-10 without labels. The backbone of the
discriminator was trained to classify the other five classes.

python -m experiments.train_classifier --config=experiments/configs/cifar10_half_cnn.py --workdir=runs/cifar10_half_cnn
python -m experiments.train_gan --config=experiments/configs/cifar10_half_projected.py --workdir=runs/cifar10_half_projected

Expected results on in-domain features over three seeds (docs/results.md): FID 13.50 ± 1.71, precision 0.86, recall 0.66, after
twenty minutes on one core with --config.precision=mixed_bfloat16. The generator is that of `cifar10_half_dcgan`. The loss and
the data augmentation are the paper's. The backbone is small, so that the depths of the small discriminators follow the sizes of
its maps.
"""

from experiments.configs import cifar10_half_dcgan


def get_config():
    config = cifar10_half_dcgan.get_config()
    config.loss = "hinge"
    config.penalties = {}
    config.steps = 5500  # twenty minutes
    config.generator_optimizer.learning_rate = 3e-4
    config.augment = "color,translation,cutout:0.2"
    config.discriminator = {
        "networks": "projected",
        "backbone": "model:runs/cifar10_half_cnn/classifier.keras",
        "weights": None,
        "backbone_size": None,
        "taps": 3,
        "nominal": False,
        "width": 16,
    }
    return config
