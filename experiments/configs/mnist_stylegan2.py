"""StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) on MNIST with labels, as `cifar10_stylegan2_cpu`.

python -m experiments.train_gan --config=experiments/configs/mnist_stylegan2.py --workdir=runs/mnist_stylegan2

Its images are clipped in training, too: see ``bounded`` of the generator.

It was not run yet; it is made for twenty minutes on one core.
"""

from experiments.configs import cifar10_stylegan2_cpu


def get_config():
    config = cifar10_stylegan2_cpu.get_config()
    config.dataset = "mnist"
    config.steps = 4500
    config.generator.bounded = True
    return config
