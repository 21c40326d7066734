"""SNGAN's residual networks (Miyato et al. 2018, arXiv:1802.05957) on MNIST, narrow enough for a CPU.

python -m experiments.train_gan --config=experiments/configs/mnist_resnet.py --workdir=runs/mnist_resnet

Expected results on in-domain features over three seeds (docs/results.md): FID 2.92 ± 0.51, precision 0.87, recall 0.73, CAS
0.976. The 5,800 steps take twenty minutes on one core with --config.precision=mixed_bfloat16, if the CPU has bfloat16
instructions.

Loss, optimizers and penalty are those of `mnist_dcgan`, so that the two configs differ only in their networks: R1 instead of
the paper's spectral norm, and the non-saturating loss instead of the hinge loss.
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.networks = "resnet"
    config.steps = 5800
    config.generator = {"latent_dim": 100, "width": 32}
    config.discriminator = {"width": 32, "spectral_norm": False}
    config.evaluate_every = 500
    return config
