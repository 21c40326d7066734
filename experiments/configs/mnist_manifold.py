"""Manifold regularisation (Lecouat et al. 2018, arXiv:1805.08957) on MNIST with 10 labels a class, on the network of
`mnist_cnn`.

python -m experiments.train_classifier --config=experiments/configs/mnist_manifold.py --workdir=runs/mnist_manifold

`mnist_sgan` with the authors' term in place of the entropy of the classes. The paper has no MNIST.
"""

from experiments.configs import mnist_sgan


def get_config():
    config = mnist_sgan.get_config()
    config.regularizers = {"manifold": {"weight": 1e-3, "epsilon": 1e-5}}
    return config
