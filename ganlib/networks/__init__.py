"""Generators and discriminators, a file for each architecture. They use `keras.ops` only and know nothing of training."""

from ganlib.networks import (  # isort: skip
    biggan, dcgan, fastgan, improved_conv, improved_mlp, instance, layers, mlp, multiscale, pretrained, projected, r3gan,
    resnet, stylegan2,
)  # fmt: skip
from ganlib.networks.base import Discriminator, Generator
from ganlib.networks.classifier import Classifier

__all__ = [
    "Classifier", "Discriminator", "Generator", "biggan", "dcgan", "fastgan", "improved_conv", "improved_mlp", "instance",
    "layers", "mlp", "multiscale", "pretrained", "projected", "r3gan", "resnet", "stylegan2",
]  # fmt: skip
