"""Improved GAN (Salimans et al. 2016, arXiv:1606.03498) on MNIST with 10 labels a class, on the network of `mnist_cnn`.

python -m experiments.train_classifier --config=experiments/configs/mnist_sgan.py --workdir=runs/mnist_sgan

The generator learns by L1 feature matching as in the authors' code for images; the entropy of the classes is
that of Bad GAN (Dai et al. 2017, arXiv:1705.09783), the consistency with the averaged weights that of mean teachers
(Tarvainen & Valpola 2017, arXiv:1703.01780), as Triple-GAN has it, too. `mnist_improved_gan` has the paper's perceptrons.
"""

from experiments.configs import mnist_cnn_augmented


def get_config():
    config = mnist_cnn_augmented.get_config()
    config.method = "semi_supervised"
    config.steps = 6000
    config.generator_loss = "feature_matching_l1"
    config.update_rule = "simultaneous"
    config.regularizers.conditional_entropy = {"weight": 0.1}
    config.regularizers.consistency = {"weight": 5.0}
    config.regularizers.marginal_entropy = {"weight": 1.0}
    return config
