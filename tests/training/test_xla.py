"""XLA, the default on one GPU, compiles the train step of every network with lazy penalties, and compiles it only once.

If the gradient of a condition needs a shape, TensorFlow can turn a value that changes with the step into a constant. XLA then
recompiles every step without a warning: on an H100, a conditional DCGAN with lazy R1 took ten seconds per step.
"""

import time

import keras
import numpy as np
import pytest

import ganlib
from ganlib import augment, data, penalties, regularizers
from ganlib.networks import Classifier, dcgan, improved_mlp, pixel_cnn
from tests.helpers import adam
from tests.networks.test_networks import MODULES

SHAPE, CLASSES = (16, 16, 3), 3


def source():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (32, *SHAPE), np.uint8)
    return data.from_arrays("random", images, np.arange(32) % CLASSES, [str(c) for c in range(CLASSES)])


def seconds_of_steps(model, batches, steps=6):
    """Measures the seconds of each step. The first step includes the compilation."""
    iterator, seconds = iter(batches), []
    model.make_train_function()
    for _ in range(steps):
        start = time.perf_counter()
        logs = model.train_function(iterator)
        assert all(np.isfinite(float(value)) for value in logs.values())
        seconds.append(time.perf_counter() - start)
    return seconds


def check_compiled_once(seconds):
    assert sum(seconds[1:]) < seconds[0], f"a later step takes as long as the first: {seconds}"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MODULES if name != "improved_conv"])
def test_every_network_with_a_lazy_penalty(name):
    module, size = MODULES[name], {"latent_dim": 6, "width": 24, "num_classes": CLASSES}
    gan = ganlib.GAN(module.Generator(SHAPE, **size), module.Discriminator(SHAPE, width=24, num_classes=CLASSES))
    lazy = [penalties.R1(1.0, interval=2)] + ([penalties.PathLength(interval=2)] if name == "stylegan2" else [])
    adaptive = augment.ADA(interval=2) if name == "dcgan" else None  # only with one network, since XLA needs a minute for it
    gan.compile(adam(), adam(), penalties=lazy, augment=adaptive, jit_compile=True)
    check_compiled_once(seconds_of_steps(gan, data.batches(source(), 8)))


LAZY = {
    "gradients": [penalties.R2(1.0, interval=2), penalties.WGANGP(1.0, interval=2), penalties.DRAGAN(1.0, interval=2)],
    "outputs and weights": [
        penalties.LeCam(0.1, interval=2),
        penalties.BalancedConsistency(1.0, interval=2),
        penalties.RotationPrediction(1.0, interval=2),
        penalties.OrthogonalWeights(interval=2),
    ],
    "auxiliary": [penalties.AuxiliaryClassification(interval=2)],
    "contrastive": [penalties.ContrastiveClassification(interval=2)],
}
"""Penalties that are compiled together, because XLA takes most of the time for the networks."""


@pytest.mark.slow
@pytest.mark.parametrize("terms", LAZY.values(), ids=LAZY)
def test_every_lazy_penalty(terms):
    conditioning = next((term.conditioning for term in terms if term.conditioning), "projection")
    rotations = any(isinstance(term, penalties.RotationPrediction) for term in terms)
    size = {"width": 4, "num_classes": CLASSES}
    gan = ganlib.GAN(
        dcgan.Generator(SHAPE, latent_dim=6, **size),
        dcgan.Discriminator(SHAPE, normalization=None, conditioning=conditioning, rotations=rotations, dropout=0.5, **size),
    )
    gan.compile(adam(), adam(), penalties=terms, jit_compile=True)
    check_compiled_once(seconds_of_steps(gan, data.batches(source(), 8)))


@pytest.mark.slow
def test_updates_that_share_images():
    gan = ganlib.GAN(dcgan.Generator(SHAPE, 6, 4, CLASSES), dcgan.Discriminator(SHAPE, 4, CLASSES, normalization=None))
    terms = [penalties.R1(interval=2, separate=True)]
    gan.compile(adam(), adam(), penalties=terms, update="reuse", discriminator_steps=2, jit_compile=True)
    check_compiled_once(seconds_of_steps(gan, data.batches(source(), 8)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["semi_supervised", "bad_gan", "triple_gan", "pseudo_labels", "supervised"])
def test_every_classifier(kind):
    body = dcgan.Discriminator(SHAPE, width=4)
    network = Classifier(body.body, SHAPE, CLASSES)
    batches = data.semi_supervised_batches(source(), source(), 8)
    if kind == "semi_supervised":
        model = ganlib.SemiSupervisedGAN(dcgan.Generator(SHAPE, latent_dim=6, width=4), body, CLASSES)
        terms = [regularizers.ConditionalEntropy(0.1), regularizers.Consistency(1.0)]
        model.compile(adam(), adam(), augment="shift", regularizers=terms, jit_compile=True)
    elif kind == "bad_gan":
        parts = {
            "encoder": improved_mlp.Encoder(SHAPE, latent_dim=6, width=4),
            "density": pixel_cnn.PixelCNN(SHAPE, width=2, blocks=1, resolutions=1, mixtures=1),
        }
        model = ganlib.BadGAN(dcgan.Generator(SHAPE, latent_dim=6, width=4), body, CLASSES, **parts)
        model.compile(adam(), adam(), adam(), low_density_from_step=0, low_density_probability=0.5, jit_compile=True)
        model.threshold.assign(0.0)
    elif kind == "triple_gan":
        size = {"width": 4, "num_classes": CLASSES}
        model = ganlib.TripleGAN(dcgan.Generator(SHAPE, latent_dim=6, **size), dcgan.Discriminator(SHAPE, **size), network)
        model.compile(adam(), adam(), adam(), jit_compile=True)
    else:
        model_class = ganlib.PseudoLabelClassifier if kind == "pseudo_labels" else ganlib.SupervisedClassifier
        model, batches = model_class(network), batches if kind == "pseudo_labels" else data.batches(source(), 8)
        model.compile(keras.optimizers.Adam(1e-3), augment="shift", jit_compile=True)
    check_compiled_once(seconds_of_steps(model, batches))
