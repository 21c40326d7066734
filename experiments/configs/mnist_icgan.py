"""IC-GAN (Casanova et al. 2021, arXiv:2109.05070) on MNIST without labels: images similar to a given image, by the features of
a network trained to classify Fashion-MNIST.

python -m experiments.train_classifier --config=experiments/configs/fashion_mnist_full_cnn.py \
  --workdir=runs/fashion_mnist_full_cnn
python -m experiments.train_gan --config=experiments/configs/mnist_icgan.py --workdir=runs/mnist_icgan
python -m experiments.studies.likeness --workdir=runs/mnist_icgan

Expected results with seed 0 (docs/results.md): 95 % of the images generated for a test image are of its class, where chance is
10 %. The search for neighbors runs once and takes four and a half minutes on one core. Training takes seven minutes with
--config.precision=mixed_bfloat16.
"""

from experiments.configs import mnist_dcgan


def get_config():
    config = mnist_dcgan.get_config()
    config.conditional = False
    config.steps = 6000
    config.generator_optimizer.learning_rate = config.discriminator_optimizer.learning_rate = 5e-4  # 1e-3 diverged
    config.instances.update(features="model:runs/fashion_mnist_full_cnn/classifier.keras", neighbors=20, embedding_dim=64)
    config.instances.projected_dim = 64  # features of both sides are flattened maps
    return config
