"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), pretrained on ImageNet and fine-tuned on CIFAR-10 with 400 labels per
class, on images enlarged to 96x96. It relies on other data, while `cifar10_sgan` relies on unlabeled images of CIFAR-10.

python -m experiments.train_classifier --config=experiments/configs/cifar10_mobilenet.py --workdir=runs/cifar10_mobilenet

To train only the last layer, add --config.freeze_features. Keras downloads the weights (9 MB); without internet access set
--config.discriminator.weights=FILE. Training takes a quarter of an hour on one GPU. Not yet reproduced.
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
