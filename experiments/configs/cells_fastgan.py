"""FastGAN's generator (Liu et al. 2021, arXiv:2101.04775) with the discriminator of DCGAN and DiffAugment on 2,024 photos of
solar cells at 64x64: the baseline of `cells_projected`, which has the same generator, loss and augmentation.

pip install elpv-dataset
python -m experiments.studies.solar_cells --output=data/cells
python -m experiments.train_gan --config=experiments/configs/cells_fastgan.py --workdir=runs/cells_fastgan

Result on in-domain features with seed 0 (docs/studies/photos.md): FID 45.5, precision 0.96, recall 0.81. The 3,900 steps take
twenty minutes on one core. The learning rate is that of the authors, which was better in a short training than the higher one
of `cells_projected`.
"""

from experiments.configs import cells_projected


def get_config():
    config = cells_projected.get_config()
    config.networks = "fastgan"
    config.discriminator = {"networks": "dcgan", "width": 32}
    config.steps = 3900
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 2e-4
    config.evaluate_every = config.sample_every = config.checkpoint_every = 780
    return config
