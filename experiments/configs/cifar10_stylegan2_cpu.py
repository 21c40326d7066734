"""StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) on CIFAR-10 with labels, narrow enough for a CPU.

python -m experiments.train_gan --config=experiments/configs/cifar10_stylegan2_cpu.py --workdir=runs/cifar10_stylegan2_cpu

Expected results on in-domain features over three seeds (docs/results.md): FID 18.22 ± 3.20, precision 0.86, recall 0.44, CAS
0.387. With the networks of ganlib 0.1, which had neither the label mapping nor the groups of the authors' discriminator, the
FID was 12.91 ± 1.53. Training takes twenty-five minutes on one core with --config.precision=mixed_bfloat16.

Like the authors' settings for CIFAR-10 (arXiv:2006.06676, appendix C), it has a mapping network of two layers, no style mixing
and no path length regularization. It has 64 channels instead of 512, and the weight of R1 is ten times as large.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "cifar10"
    config.conditional = True
    config.networks = "stylegan2"
    config.steps = 3700
    config.generator = {"latent_dim": 64, "width": 64, "channels_base": 1024, "mapping_layers": 2, "mixing": 0.0}
    config.discriminator = {"width": 64, "channels_base": 1024}
    adam = {"name": "adam", "learning_rate": 2.5e-3, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    config.generator_optimizer = config.discriminator_optimizer = adam
    config.penalties.r1 = {"weight": 0.1, "interval": 16}
    config.metrics = "fid"
    config.evaluate_every = 500
    return config
