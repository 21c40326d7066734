"""R3GAN (Huang et al. 2024, arXiv:2501.05441) on CIFAR-10 with labels, narrow enough for a CPU, as `mnist_r3gan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_r3gan_cpu.py --workdir=runs/cifar10_r3gan_cpu

It was not run yet with networks of 128 channels; with 32 at all resolutions it had, over three seeds, FID 10.98 ± 1.00,
precision 0.90, recall 0.29, CAS 0.299 (docs/results.md). A quarter of an hour on one core with
--config.precision=mixed_bfloat16.
"""

from experiments.configs import mnist_r3gan


def get_config():
    config = mnist_r3gan.get_config()
    config.dataset = "cifar10"
    config.steps = 2400
    config.generator.update(full_width=8, bounded=False)
    config.discriminator.full_width = 8
    return config
