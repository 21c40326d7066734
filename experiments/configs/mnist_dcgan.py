"""DCGAN (Radford et al. 2016, arXiv:1511.06434) on MNIST, with labels and R1 (Mescheder et al. 2018).

python -m experiments.train_gan --config=experiments/configs/mnist_dcgan.py --workdir=runs/mnist_dcgan

Ten minutes on two cores. The images are in docs/results.md: about twelve of thirteen are clearly of their class.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = "mnist"
    config.conditional = True
    config.steps = 7500
    config.generator.update(latent_dim=100, width=64)
    config.discriminator.update(width=64, normalization=None)
    config.penalties.r1 = {"weight": 1.0, "interval": 16}
    config.ema_decay = 0.999
    return config
