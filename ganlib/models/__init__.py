"""Models with a train step: GANs, semi-supervised GANs, and classifier baselines."""

from ganlib.models.bad_gan import BadGAN
from ganlib.models.density import DensityModel
from ganlib.models.gan import GAN
from ganlib.models.linear_probe import LinearProbe
from ganlib.models.pseudo_labels import PseudoLabelClassifier
from ganlib.models.semi_supervised_gan import SemiSupervisedGAN
from ganlib.models.supervised import SupervisedClassifier
from ganlib.models.triple_gan import TripleGAN

__all__ = [
    "GAN",
    "BadGAN",
    "DensityModel",
    "LinearProbe",
    "PseudoLabelClassifier",
    "SemiSupervisedGAN",
    "SupervisedClassifier",
    "TripleGAN",
]
