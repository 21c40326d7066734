"""Improved GAN (Salimans et al. 2016, arXiv:1606.03498) on CIFAR-10 with 400 labels per class: the paper's networks.

python -m experiments.train_classifier --config=experiments/configs/cifar10_improved_gan.py --workdir=runs/cifar10_improved

The networks, their initialization and the settings are those of the authors' code: 1,200 epochs with batch size 100, Adam with
learning rate 3e-4, which decays to 0 over the last third, beta1 0.5 and 1e-8 under the root, L1 feature matching, other
unlabeled images for the generator than for the classifier, and averaged weights. As there, no images are held out or augmented.

The paper's test error with 4,000 labels is 18.63 % ± 2.32. Training requires a GPU: 600,000 steps of 738 GFLOP take six hours
on a GPU that sustains 20 TFLOP/s. Not yet run in this form, and no earlier form was run to its end.
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.dataset = "cifar10"
    config.labels_per_class = 400
    config.networks = "improved_conv"
    config.generator.update(latent_dim=100, width=128, uniform_latents=True)
    config.discriminator.update(width=96, dropout=0.5)
    config.batch_size = 100
    config.steps = 600_000
    adam = {"name": "adam", "learning_rate": 3e-4, "beta_1": 0.5, "epsilon": 1e-8, "epsilon_in_root": True}
    config.generator_optimizer = config.discriminator_optimizer = adam | {"linear_decay": 1 / 3}
    config.fresh_real_images = True
    config.generator_loss = "feature_matching_l1"
    config.ema_decay = 0.9999
    config.checkpoint_every = config.sample_every = 5000
    return config
