"""FastGAN's generator (Liu et al. 2021, arXiv:2101.04775) with the discriminator of DCGAN and DiffAugment on 2,024 photos of
solar cells at 64x64: the baseline of `cells_projected`, which has the same generator, loss, augmentation and optimizers.

pip install elpv-dataset
python -m experiments.studies.solar_cells --output=data/cells
python -m experiments.train_gan --config=experiments/configs/cells_fastgan.py --workdir=runs/cells_fastgan
"""

from experiments.configs import cells_projected


def get_config():
    config = cells_projected.get_config()
    config.networks = "fastgan"
    config.discriminator = {"networks": "dcgan", "width": 32}
    config.steps = 3600
    return config
