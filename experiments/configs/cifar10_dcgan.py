"""DCGAN (Radford et al. 2016, arXiv:1511.06434) on CIFAR-10, like `mnist_dcgan`.

python -m experiments.train_gan --config=experiments/configs/cifar10_dcgan.py --workdir=runs/cifar10_dcgan

Expected results on in-domain features over three seeds (docs/results.md): FID 6.38 ± 0.79, precision 0.88, recall 0.74, CAS
0.489. The 5,400 steps take twenty minutes on one core with --config.precision=mixed_bfloat16, if the CPU has bfloat16
instructions.
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.dataset = "cifar10"
    config.steps = 5400
    config.evaluate_every = 500
    return config
