"""Bad GAN (Dai et al. 2017, arXiv:1705.09783) on CIFAR-10 with 400 labels per class, with the recipe of the authors' code.

python -m experiments.train_classifier --config=experiments/configs/cifar10_bad_gan.py --workdir=runs/cifar10_bad_gan

An encoder learns to predict the latents from generated images, and the generator is trained to make this possible, with weight
1e-2. There is neither conditional entropy nor a pull-away term, which the authors use on SVHN, and no density model, which they
use on MNIST. Apart from that, this is `cifar10_improved_gan` with noise of 0.05 on the images, of which dropout takes whole
channels, a learning rate of 6e-4 for the classifier, beta1 0 for the generator, no averaged weights, and the initial weights of
PyTorch. The paper's test error with 4,000 labels is 14.41 % ± 0.30.

Training requires a GPU and takes somewhat longer than `cifar10_improved_gan`. Not yet run.
"""

from experiments.configs import cifar10_improved_gan


def get_config():
    config = cifar10_improved_gan.get_config()
    config.method = "bad_gan"
    config.fresh_real_images = False
    config.generator.code = "bad_gan"
    config.discriminator.update(noise=0.05, drops_channels=True)
    adam = {"name": "adam", "beta_2": 0.999, "epsilon": 1e-8, "corrected_epsilon": True, "linear_decay": 1 / 3}
    config.discriminator_optimizer = {**adam, "learning_rate": 6e-4, "beta_1": 0.5}
    config.generator_optimizer = {**adam, "learning_rate": 3e-4, "beta_1": 0.0}
    config.ema_decay = 0.0
    config.bad_gan.encoder_weight = 1e-2
    config.bad_gan.encoder = {"width": 128}
    config.bad_gan.encoder_optimizer = dict(config.generator_optimizer)
    return config
