"""SNGAN with projection (Miyato & Koyama 2018, arXiv:1802.05637) on ImageNet at 128x128 with labels.

python -m experiments.train_gan --config=experiments/configs/imagenet128_sngan.py --workdir=runs/imagenet128_sngan

The paper reports an FID of 27.62 and an Inception score of 29.7 (intra-class FID 92.4) after 450,000 generator steps of 256
images, during the last 50,000 of which the learning rates decay to 0. Training takes about two weeks on four GPUs. Not yet
reproduced.
"""

from experiments.configs import cifar10_sngan_conditional


def get_config():
    config = cifar10_sngan_conditional.get_config()
    config.dataset = "imagenet2012"
    config.image_size = 128
    config.batch_size = 256
    config.steps = 450_000
    config.generator.width = config.discriminator.width = 64
    for optimizer in (config.generator_optimizer, config.discriminator_optimizer):
        optimizer.linear_decay = 1 / 9  # from step 400,000 on
    return config
