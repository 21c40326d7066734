"""A MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) that learned ImageNet, fine-tuned by 400 labels a class of CIFAR-10,
enlarged to 96x96: the CNN that stands on other data, beside `cifar10_sgan`, which stands on its own unlabeled images.

python -m experiments.train_classifier --config=experiments/configs/cifar10_mobilenet.py --workdir=runs/cifar10_mobilenet

The last layer alone: --config.freeze_features. Keras downloads the weights (9 MB); without a network give
--config.discriminator.weights=FILE. A quarter of an hour on one GPU; it was not run here.
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.method = "supervised"
    config.dataset = "cifar10"
    config.labels_per_class = 400
    config.validation_per_class = 100
    config.networks = "pretrained"
    config.steps = 10_000
    config.discriminator.update(backbone="applications:MobileNetV2", weights="imagenet", backbone_size=96, taps=1)
    config.discriminator_optimizer = {"name": "adam", "learning_rate": 1e-4, "linear_decay": 0.5}
    config.augment = "flip,shift"
    return config
