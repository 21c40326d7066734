"""Bad GAN (Dai et al. 2017, arXiv:1705.09783) on MNIST with 10 labels per class, with the recipe of the authors' code.

python -m experiments.train_classifier --config=experiments/configs/mnist_bad_gan_long.py --workdir=runs/mnist_bad_gan_1

The perceptrons, the optimizers and the losses are the authors'. After 9,000 steps, a step has the loss of the density with a
probability of 0.1 and a weight of 1e-4. Nine tenths of the training images are above its threshold. The learning rates fall
linearly to 0 over the last third of 2,000 epochs of 599 steps, and the weights are not averaged. The paper's test error is
0.80 % ± 0.10, over ten selections of labels.

These differences from the authors' code are known. They publish the weights of their PixelCNN, not its training: the optimizer
here is that of PixelCNN++'s code with their learning rate and batch size, and the number of steps is ours. The threshold is
computed from training images instead of test images, and the density from 30 of the 100 images of the step, not from 30 others.
The labeled images are among the unlabeled ones.

Training requires a GPU, mostly for the PixelCNN. Not yet run.
"""

from experiments.configs import mnist_improved_gan


def get_config():
    config = mnist_improved_gan.get_config()
    config.method = "bad_gan"
    config.generator.code = "bad_gan"
    config.steps = 2000 * 599
    adam = {"name": "adam", "beta_2": 0.9999, "epsilon": 1e-8, "corrected_epsilon": True, "linear_decay": 1 / 3}
    config.discriminator_optimizer = {**adam, "learning_rate": 3e-3, "beta_1": 0.5}
    config.generator_optimizer = {**adam, "learning_rate": 1e-3, "beta_1": 0.0}
    config.ema_decay = 0.0
    config.bad_gan.low_density_weight = 1e-4
    config.bad_gan.low_density_probability = 0.1
    config.bad_gan.low_density_share = 0.3
    config.bad_gan.low_density_from_step = 9001
    config.bad_gan.density = {"width": 160, "blocks": 3, "resolutions": 2, "mixtures": 10}
    config.bad_gan.density_steps = 30_000
    config.checkpoint_every = config.sample_every = 5990
    return config
