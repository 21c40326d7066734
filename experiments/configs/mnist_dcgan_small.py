"""DCGAN (Radford et al. 2016, arXiv:1511.06434) at half the width, on shifted images, for `mnist_fine_tuned`,
`mnist_linear_probe` and `mnist_generated`.

python -m experiments.train_gan --config=experiments/configs/mnist_dcgan_small.py --workdir=runs/mnist_dcgan_small

Differentiable augmentation (Zhao et al. 2020, arXiv:2006.10738) lets it learn even from a hundred images.
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.steps = 5000
    config.generator.width = config.discriminator.width = 32
    config.augment = "translation"
    config.precision = "mixed_bfloat16"
    config.metrics = ""
    return config
