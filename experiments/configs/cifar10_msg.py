"""MSG-GAN (Karnewar & Wang 2020, arXiv:1903.06048) on CIFAR-10 with labels, with the layers of `cifar10_dcgan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_msg.py --workdir=runs/cifar10_msg

Expected results on in-domain features over three seeds (docs/results.md): FID 6.53 ± 0.63, precision 0.88, recall 0.74, CAS
0.507. Training takes fifteen to twenty minutes on one core with --config.precision=mixed_bfloat16. For comparison, a single
scale is `cifar10_dcgan`: --config.generator.scales=1 --config.discriminator.scales=1.
"""

from ml_collections.config_dict import placeholder

from experiments.configs import cifar10_dcgan


def get_config():
    config = cifar10_dcgan.get_config()
    config.networks = "multiscale"
    config.generator.scales = placeholder(int)
    del config.discriminator.normalization  # MSG-GAN's discriminator has none
    config.discriminator.scales = placeholder(int)
    return config
