"""`mnist_fine_tuned` (Radford et al. 2016, arXiv:1511.06434) with frozen features: only the last layer is trained.

python -m experiments.train_classifier --config=experiments/configs/mnist_linear_probe.py --workdir=runs/mnist_linear_probe

The test error over three label seeds is 8.0 % ± 1.9 (docs/results.md) after four minutes, including the GAN, on one core in
bfloat16.
"""

from experiments.configs import mnist_fine_tuned


def get_config():
    config = mnist_fine_tuned.get_config()
    config.freeze_features = True
    config.discriminator_optimizer.learning_rate = 1e-3
    return config
