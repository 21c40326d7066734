"""IC-GAN (Casanova et al. 2021, arXiv:2109.05070) on ImageNet at 64x64 without labels, with BigGAN's networks, conditioned on
the features of a ResNet50 pretrained on ImageNet.

python -m experiments.train_gan --config=experiments/configs/imagenet64_icgan.py --workdir=runs/imagenet64_icgan \
  --config.dataset=folder:/data/imagenet --config.precision=mixed_bfloat16

The settings are those of the authors' code, github.com/facebookresearch/ic_gan, icgan_res64: latents of 120 numbers, an
embedding of 512 that every block gets, both learning rates 1e-4, and mirrored images. The authors also mirror the images from
which they compute features; here an image and its mirror image have the same features. The dataset must be a folder of images,
because neighbors are read individually. The exact search for 50 neighbors of each of 1.28 million images runs once and takes
hours. The authors use the features of a self-supervised ResNet50 (SwAV). At 128x128 its FID without labels is 11.7 with flipped
instances. Training takes about a week on one GPU. Not yet reproduced.
"""

from experiments.configs import imagenet128_biggan


def get_config():
    config = imagenet128_biggan.get_config()
    config.dataset = "folder:imagenet"
    config.image_size = 64
    config.conditional = False
    config.batch_size = 256
    config.generator.update(latent_dim=120, width=64, attention=32, condition_dim=512)
    config.discriminator.update(width=64, attention=32)
    config.penalties = {}
    config.mirror = True
    for optimizer in (config.generator_optimizer, config.discriminator_optimizer):
        optimizer.learning_rate = 1e-4
    config.instances.update(features="applications:ResNet50", neighbors=50, embedding_dim=512)
    return config
