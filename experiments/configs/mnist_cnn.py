"""The baseline: a small convolutional network on the labeled images of MNIST alone, without augmentation.

python -m experiments.train_classifier --config=experiments/configs/mnist_cnn.py --workdir=runs/mnist_cnn

The network is a DCGAN's discriminator (Radford et al. 2016, arXiv:1511.06434) with dropout, so that `mnist_sgan` and the
other few-label configs differ from it in what they learn from alone. All go over to Fashion-MNIST with
--config.dataset=fashion_mnist. Test error over three label seeds 23.7 % ± 2.3, after less than a minute; Lee 2013 has
22.98 % for a CNN.
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.dataset = "mnist"
    config.method = "supervised"
    config.labels_per_class = 10
    config.validation_per_class = 100
    config.image_size = 32  # one convolution more than at 28
    config.discriminator.update(width=32, dropout=0.3)
    config.batch_size = 64
    config.labeled_batch_size = 32
    config.steps = 3000
    config.discriminator_optimizer = {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.5, "linear_decay": 0.5}
    config.ema_decay = 0.998
    config.checkpoint_every = 1000
    config.steps_per_execution = 10
    return config
