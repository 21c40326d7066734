"""Generators and discriminators, a file for each architecture. They use `keras.ops` only and know nothing of training."""

from ganlib.networks import biggan, dcgan, improved_conv, improved_mlp, layers, mlp, multiscale, r3gan, resnet, stylegan2
from ganlib.networks.base import Discriminator, Generator
from ganlib.networks.classifier import Classifier

__all__ = [
    "Classifier", "Discriminator", "Generator", "biggan", "dcgan", "improved_conv", "improved_mlp", "layers", "mlp",
    "multiscale", "r3gan", "resnet", "stylegan2",
]  # fmt: skip
