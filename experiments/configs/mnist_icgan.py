"""IC-GAN (Casanova et al. 2021, arXiv:2109.05070) on MNIST without labels: images like a given one, by the features of a
network that learned to classify clothes.

python -m experiments.train_classifier --config=experiments/configs/fashion_mnist_full_cnn.py \
  --workdir=runs/fashion_mnist_full_cnn
python -m experiments.train_gan --config=experiments/configs/mnist_icgan.py --workdir=runs/mnist_icgan
python -m experiments.studies.likeness --workdir=runs/mnist_icgan

To expect on seed 0 (docs/results.md): 95 % of the images that answer a test image are of its class, where 10 % would be chance.
The search for neighbors takes four minutes and a half on one core, once, the training seven with
--config.precision=mixed_bfloat16.
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.conditional = False
    config.steps = 6000
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 5e-4  # with 1e-3 it broke down
    config.instances.update(features="model:runs/fashion_mnist_full_cnn/classifier.keras", neighbors=20, embedding_dim=64)
    return config
