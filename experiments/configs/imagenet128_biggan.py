"""BigGAN (Brock et al. 2019, arXiv:1809.11096) on ImageNet at 128x128 with labels, with batch size 2,048.

python -m experiments.train_gan --config=experiments/configs/imagenet128_biggan.py --workdir=runs/imagenet128_biggan

The paper reports an FID of 8.7 and an Inception score of 98.8 after 165,000 generator steps on 128 TPU cores, 24 to 48 hours.
The author's code, github.com/ajbrock/BigGAN-PyTorch, reached 9.8 and 91.5 in 137,500 steps of 2,048 images, about two weeks on
eight V100s, with the learning rates used here and an EMA that begins after 20,000 steps. On few devices add
--config.accumulation_steps=8. Not yet reproduced.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "imagenet2012"
    config.image_size = 128
    config.conditional = True
    config.networks = "biggan"
    config.batch_size = 2048
    config.steps = 137_500
    config.generator.update(latent_dim=120, width=96, embedding_dim=128, attention=64)
    config.discriminator.update(width=96, attention=64)
    config.loss = "hinge"
    adam = {"name": "adam", "beta_1": 0.0, "beta_2": 0.999, "epsilon": 1e-6, "corrected_epsilon": True}
    config.generator_optimizer = adam | {"learning_rate": 1e-4}
    config.discriminator_optimizer = adam | {"learning_rate": 4e-4}
    with config.ignore_type():
        config.ema_decay = {"linear": {"start": 0.0, "end": 0.9999, "steps": 1, "begin": 19_998}}
    return config
