"""Triple-GAN (Li et al. 2017, arXiv:1703.02291) on MNIST with 10 labels per class, with the network of `mnist_cnn`.

python -m experiments.train_classifier --config=experiments/configs/mnist_triple_gan.py --workdir=runs/mnist_triple_gan

The adversarial losses are those of the authors' code, but the run is a hundred times shorter and has augmentation, the networks
are others, generated images train the classifier from the first step on, and there is no weight decay. `mnist_triple_gan_long`
has their schedule. The paper's test error is 0.91 % ± 0.58.

Not yet run in this form. With the labeled pairs alone as the discriminator's real ones, and the adversarial loss of the paper's
algorithm 1 with a weight of 0.01, the test error over three label seeds was 3.1 % ± 0.7 (docs/results.md) after nine minutes on
one core in bfloat16.
"""

from experiments.configs import mnist_cnn


def get_config():
    config = mnist_cnn.get_config()
    config.method = "triple_gan"
    config.generator.update(latent_dim=100, width=32)
    config.generator_optimizer = dict(config.discriminator_optimizer)
    config.sample_every = 1000
    config.augment = "shift,affine"
    config.steps = 6000
    config.triple_gan.classifier = dict(config.discriminator)
    config.triple_gan.classifier_optimizer = dict(config.discriminator_optimizer)
    config.discriminator.dropout = 0.2
    config.regularizers.conditional_entropy = {"weight": 0.3}
    config.regularizers.marginal_entropy = {"weight": 0.3, "ramp_down": 1000}
    return config
