"""Triple-GAN (Li et al. 2017, arXiv:1703.02291) on MNIST with 10 labels per class, with the schedule of the authors' code.

python -m experiments.train_classifier --config=experiments/configs/mnist_triple_gan_long.py --workdir=runs/mnist_triple_gan_1

The classifier alone is trained for 30 epochs, of 120 steps as in the authors' code. Then all networks are trained for 1,000
epochs of 600 steps. From epoch 300 on, generated images train the classifier, and the learning rate falls by 0.5 % in each
epoch. There is no augmentation. The paper's test error is 0.91 % ± 0.58.

These differences from the authors' code are known. The generator and the discriminator are the perceptrons of `improved_mlp`,
which have the same widths and noise, but take labels as an embedding and as a projection, not joined to every layer. The
classifier is the CNN of `mnist_cnn` with a dropout of 0.5. A step has 100 generated images, not 200, and 100 predicted pairs,
not 400 real and 100 fake ones. The weight of the classes' balance falls linearly to 0 over the pretraining; theirs is 0.3 and
then 1e-3. The last layer has no weight decay. In the pretraining, the learning rate is 1e-3, not 3e-4, beta1 is 0.5, not 0.9,
and a batch has 100 unlabeled images, not 500. An epoch is 600 steps here even if images are held out.

Not yet run: 603,600 steps take more than a day on one core (estimated).
"""

from experiments.configs import mnist_triple_gan

EPOCH = 600
PRETRAINING = 30 * 120


def get_config():
    config = mnist_triple_gan.get_config()
    config.image_size = 28
    config.networks = "improved_mlp"
    config.generator = {"latent_dim": 100, "width": 500, "uniform_latents": True}
    config.discriminator = {"width": 1000, "noise": 0.5}
    config.triple_gan.classifier = {"networks": "dcgan", "width": 32, "dropout": 0.5}
    config.augment = ""
    config.batch_size = config.labeled_batch_size = 100
    config.steps = PRETRAINING + 1000 * EPOCH
    config.triple_gan.pretraining_steps = PRETRAINING
    config.triple_gan.generated_from_step = PRETRAINING + 300 * EPOCH
    config.generator_optimizer = config.discriminator_optimizer = _adam(300 * EPOCH)
    config.triple_gan.classifier_optimizer = _adam(PRETRAINING + 300 * EPOCH)
    config.regularizers.marginal_entropy = {"weight": 0.3, "ramp_down": PRETRAINING}
    config.ema_decay = 0.99
    config.checkpoint_every = config.sample_every = config.evaluate_every = 10 * EPOCH
    return config


def _adam(begin):
    """Returns Adam with the authors' learning rate, which falls over the last 700 epochs, from a step on."""
    rate = {"exponential": {"start": 1e-3, "end": 1e-3 * 0.995**700, "steps": 700 * EPOCH, "begin": begin}}
    return {"name": "adam", "learning_rate": rate, "beta_1": 0.5}
