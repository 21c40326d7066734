"""WGAN with clipped weights (Arjovsky et al. 2017, arXiv:1701.07875) on MNIST, on `mnist_dcgan`'s networks without labels.

python -m experiments.train_gan --config=experiments/configs/mnist_wgan.py --workdir=runs/mnist_wgan

Algorithm 1 of the paper: five discriminator steps, RMSprop with rate 5e-5, weights clipped to 0.01. The paper has no number;
slow to learn, and here to be compared with penalties on gradients.
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
