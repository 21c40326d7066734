"""WGAN with clipped weights (Arjovsky et al. 2017, arXiv:1701.07875) on MNIST, with the networks of `mnist_dcgan` and without
labels.

python -m experiments.train_gan --config=experiments/configs/mnist_wgan.py --workdir=runs/mnist_wgan

Algorithm 1 of the paper: five discriminator steps, RMSprop with learning rate 5e-5, and weights clipped to 0.01. The paper
reports no metrics. It learns slowly and serves as a baseline for gradient penalties.
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.conditional = False
    config.loss = "wasserstein"
    config.discriminator_steps = 5
    config.penalties = {"weight_clipping": {"limit": 0.01}}
    config.generator_optimizer = config.discriminator_optimizer = {"name": "rmsprop", "learning_rate": 5e-5}
    return config
