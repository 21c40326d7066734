"""MSG-GAN (Karnewar & Wang 2020, arXiv:1903.06048) on MNIST with labels, on the layers of `mnist_dcgan`.

python -m experiments.train_gan --config=experiments/configs/mnist_msg.py --workdir=runs/mnist_msg

It was not run yet; it is made for twenty minutes on one core.
"""

from experiments.configs import cifar10_msg


def get_config():
    config = cifar10_msg.get_config()
    config.dataset = "mnist"
    config.steps = 11_500
    return config
