"""Bad GAN (Dai et al. 2017, arXiv:1705.09783) on CIFAR-10 with 400 labels per class.

python -m experiments.train_classifier --config=experiments/configs/cifar10_bad_gan.py --workdir=runs/cifar10_bad_gan

This is `cifar10_improved_gan` with conditional entropy for the classifier and the pull-away term for the generator, with the
weights of the authors' code for SVHN. On CIFAR-10 the authors use neither, but bound the generator's entropy with an encoder.
Their test error with 4,000 labels, 14.41 % ± 0.30, is therefore not to be compared with this config. Training takes as long as
`cifar10_improved_gan`. Not yet run.
"""

from experiments.configs import cifar10_improved_gan


def get_config():
    config = cifar10_improved_gan.get_config()
    config.discriminator_optimizer.learning_rate = 6e-4
    for adam in (config.generator_optimizer, config.discriminator_optimizer):  # PyTorch's
        adam.update(epsilon_in_root=False, corrected_epsilon=True)
    config.fresh_real_images = False
    config.regularizers.conditional_entropy = {"weight": 0.1}
    config.generator_regularizers.pull_away = {"weight": 0.8}
    return config
