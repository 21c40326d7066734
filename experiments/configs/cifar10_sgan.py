"""`fashion_mnist_sgan` (Improved GAN: Salimans et al. 2016, arXiv:1606.03498) on CIFAR-10 with 400 labels per class, for a CPU.

python -m experiments.train_classifier --config=experiments/configs/cifar10_sgan.py --workdir=runs/cifar10_sgan

The test error over three label seeds is 29.7 % ± 0.7, against 32.2 % ± 0.5 for `cifar10_cnn` in the same time
(docs/results.md), after a quarter of an hour on one core with --config.precision=mixed_bfloat16. The paper reports 18.63 % ±
2.32 after the long training of `cifar10_improved_gan`.
"""

from experiments.configs import fashion_mnist_sgan


def get_config():
    config = fashion_mnist_sgan.get_config()
    config.dataset = "cifar10"
    config.labels_per_class = 400
    config.discriminator.width = 64
    config.labeled_batch_size, config.batch_size = 64, 32  # with more labels, more of a step goes to labeled images
    config.steps = config.regularizers.consistency.ramp_up = 10_000
    return config
