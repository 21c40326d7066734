"""Manifold regularization (Lecouat et al. 2018, arXiv:1805.08957) on MNIST with 10 labels per class, with the network of
`mnist_cnn`.

python -m experiments.train_classifier --config=experiments/configs/mnist_manifold.py --workdir=runs/mnist_manifold

This is `mnist_feature_matching` with the paper's regularization term. The paper has no results on MNIST. The two images of a
pair have the same augmentation and dropout masks, unlike in the authors' code: see `ganlib.regularizers.Manifold`.

Not yet run in this form. With different masks for the two images and a step of 1e-5, the test error over three label seeds was
1.9 % ± 0.4 (docs/results.md) after six minutes on one core in bfloat16.
"""

from experiments.configs import mnist_feature_matching


def get_config():
    config = mnist_feature_matching.get_config()
    config.regularizers.manifold = {"weight": 1e-3, "epsilon": 1.0}
    return config
