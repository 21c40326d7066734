"""SNGAN's residual networks (Miyato et al. 2018, arXiv:1802.05957) on CIFAR-10, like `mnist_resnet`.

python -m experiments.train_gan --config=experiments/configs/cifar10_resnet.py --workdir=runs/cifar10_resnet

Expected results on in-domain features over three seeds (docs/results.md): FID 14.93 ± 1.39, precision 0.90, recall 0.56, CAS
0.316. The 4,000 steps take twenty minutes on one core with --config.precision=mixed_bfloat16, if the CPU has bfloat16
instructions.

`cifar10_sngan` has the paper's own settings.
"""

from experiments.configs import mnist_resnet


def get_config():
    config = mnist_resnet.get_config()
    config.dataset = "cifar10"
    config.steps = 4000
    config.evaluate_every = 400
    return config
