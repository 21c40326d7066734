"""Runs docs/interop/lightning_gan.py in a process in which Keras runs on PyTorch."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import ganlib  # noqa: F401, registers its classes with Keras

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "lightning")), reason="needs torch and lightning"
)

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = """
import runpy, sys
import numpy as np
module = runpy.run_path(sys.argv[1])
from ganlib.networks import dcgan

import keras, torch
keras.utils.set_random_seed(0)
gan = module["LightningGAN"](dcgan.Generator((8, 8, 1), 6, 8), dcgan.Discriminator((8, 8, 1), 8, normalization=None))
real = torch.rand(4, 8, 8, 1) * 2 - 1
before = [gan.generator.get_weights(), gan.discriminator.get_weights()]

# R1 by finite differences: the mean of |d logit / d image|^2 / 2.
def logit(images):
    return np.float64(keras.ops.convert_to_numpy(gan.discriminator(images)).sum())
gan.r1_weight = 0.0
torch.manual_seed(0)
without = gan.discriminator_loss(real.clone()).item()
gan.r1_weight = 1e4  # so that the difference of the two float32 losses keeps its digits
torch.manual_seed(0)
r1 = (gan.discriminator_loss(real.clone()).item() - without) / gan.r1_weight
gan.r1_weight = 1.0
squares = 0.0
for index in np.ndindex(*real.shape):
    step = torch.zeros_like(real)
    step[index] = 1e-2
    squares += ((logit(real + step) - logit(real - step)) / 2e-2) ** 2
assert abs(r1 - squares / 2 / len(real)) < 1e-2 * abs(r1), (r1, squares / 2 / len(real))

images = [real[index % 4] for index in range(12)]
import lightning
trainer = lightning.Trainer(max_steps=6, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(gan, torch.utils.data.DataLoader(images, batch_size=4))
for network, weights in zip((gan.generator, gan.discriminator), before):
    for variable, value in zip(network.weights, weights):
        changed = bool(np.any(keras.ops.convert_to_numpy(variable) != value))
        assert changed or not variable.trainable, variable.path
ema = gan.ema_generator.get_weights()
assert any(np.any(a != b) for a, b in zip(ema, before[0])), "the averages did not change"
assert any(np.any(a != b) for a, b in zip(ema, gan.generator.get_weights())), "the averages equal the weights"
gan.ema_generator.save(sys.argv[2])
np.save(sys.argv[3], keras.ops.convert_to_numpy(gan.ema_generator(np.ones((2, 6), "float32"), training=False)))
"""


def test_it_trains_and_its_generator_loads_on_tensorflow(tmp_path):
    saved, images_path = tmp_path / "generator.keras", tmp_path / "images.npy"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, ROOT / "docs/interop/lightning_gan.py", saved, images_path],
        check=True,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "torch"},
        timeout=300,
    )
    images = keras.saving.load_model(saved, compile=False)(np.ones((2, 6), np.float32), training=False)
    np.testing.assert_allclose(images, np.load(images_path), atol=1e-5)
