"""Models can be loaded in processes that have only run ``import ganlib``."""

import importlib
import os
import pkgutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import ganlib
from ganlib import networks, penalties, registration, regularizers
from ganlib.augment import ADA
from ganlib.training import schedules
from tests.helpers import SHAPE, adam


def test_names_equal_the_registered_names():
    for module in pkgutil.walk_packages(ganlib.__path__, "ganlib."):
        importlib.import_module(module.name)
    registered = {
        name: (kind.__module__, kind.__name__)
        for name, kind in keras.saving.get_custom_objects().items()
        if kind.__module__.startswith("ganlib.")
    }
    assert registration.names() == registered
    assert len(registered) > 80


def ran(code, folder):
    """Runs code in a folder in a new process."""
    paths = os.pathsep.join([os.path.dirname(ganlib.__path__[0]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with one model of each kind, compiled with all kinds of objects."""
    folder, images = tmp_path_factory.mktemp("saved"), np.random.default_rng(0).integers(0, 256, (4, *SHAPE), np.uint8)
    rate = schedules.EachStep(schedules.Cosine(1e-3, 0.0, 9), 2)
    gan = ganlib.GAN(networks.dcgan.Generator(SHAPE, 4, width=4), networks.resnet.Discriminator(SHAPE, width=4))
    gan.compile(
        schedules.Adam(rate),
        adam(),
        penalties=[penalties.R1(1.0), penalties.LeCam(schedules.Linear(1.0, 0.0, 9))],
        augment=ADA("color"),
        ema_decay=schedules.HalfLife(5),
        non_finite="skip",
    )
    sgan = ganlib.SemiSupervisedGAN(networks.mlp.Generator(SHAPE, 4, 4), networks.mlp.Discriminator(SHAPE, 4), 3)
    sgan.compile(
        adam(), adam(), "flip", regularizers=[regularizers.Manifold()], generator_regularizers=[regularizers.PullAway()]
    )
    pair = networks.mlp.Generator(SHAPE, 4, 4, num_classes=3), networks.mlp.Discriminator(SHAPE, 4, num_classes=3)
    classifier = networks.Classifier(networks.resnet.Discriminator(SHAPE, width=4).body, SHAPE, 3)
    triple = ganlib.TripleGAN(*pair, classifier)
    triple.compile(adam(), adam(), adam())
    supervised, pseudo = ganlib.SupervisedClassifier(classifier), ganlib.PseudoLabelClassifier(classifier)
    supervised.compile(adam())
    pseudo.compile(adam())
    encoder = networks.improved_mlp.Encoder(SHAPE, 4, 4)
    bad = ganlib.BadGAN(networks.mlp.Generator(SHAPE, 4, 4), networks.mlp.Discriminator(SHAPE, 4), 3, encoder)
    bad.compile(adam(), adam(), adam())
    models = {"gan": gan, "sgan": sgan, "triple": triple, "supervised": supervised, "pseudo": pseudo, "bad": bad}
    models |= {"classifier": classifier, "generator": gan.ema_generator}
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    np.savez(folder / "expected.npz", images=gan.generate(2), probabilities=classifier.classify(images), given=images)
    return folder


@pytest.mark.slow
def test_import_of_keras_first_loads_every_kind_of_model(saved):
    code = """
import keras, ganlib
import glob, sys, numpy as np
assert not [name for name in sys.modules if name.startswith("ganlib.") and name != "ganlib.registration"]
models = {path[:-6]: keras.saving.load_model(path) for path in sorted(glob.glob("*.keras"), reverse=True)}
expected = np.load("expected.npz")
np.testing.assert_array_equal(models["gan"].generate(2), expected["images"])
np.testing.assert_allclose(models["classifier"].classify(expected["given"]), expected["probabilities"], atol=1e-6)
assert [type(model).__name__ for model in models.values()] == [
    "TripleGAN", "SupervisedClassifier", "SemiSupervisedGAN", "PseudoLabelClassifier", "Generator", "GAN", "Classifier",
    "BadGAN"]
assert all(type(model) is keras.saving.get_custom_objects()[keras.saving.get_registered_name(type(model))]
           for model in models.values())
print("loaded", len(models))
"""
    process = ran(code, saved)
    assert process.stdout.strip() == "loaded 8", process.stderr


def test_import_of_ganlib_first_loads_networks(saved):
    code = """
import ganlib, keras
import sys, numpy as np
assert not [name for name in sys.modules if name.startswith("ganlib.") and name != "ganlib.registration"]
expected = np.load("expected.npz")
classifier = keras.saving.load_model("classifier.keras")
np.testing.assert_allclose(classifier.classify(expected["given"]), expected["probabilities"], atol=1e-4)
assert keras.saving.load_model("generator.keras")(np.zeros((2, 4), "float32")).shape == (2, 8, 8, 1)
assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("ganlib")]
print("loaded")
"""
    process = ran(code, saved)
    assert process.stdout.strip() == "loaded", process.stderr
