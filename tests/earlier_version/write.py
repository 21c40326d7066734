"""Writes the saved models of this folder: python tests/earlier_version/write.py FOLDER

Commit 2ee25d9 wrote them, before the modules of ganlib moved into rooms. `test_earlier_version.py` loads them and continues
training. Write them again only when the format of saved models changes on purpose, and say so in CHANGELOG.md.
"""

import gzip
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

import h5py
import keras
import numpy as np
import tensorflow as tf

import ganlib
from ganlib import data, networks, penalties, regularizers
from ganlib.augment import ADA
from ganlib.training import schedules

SHAPE = (8, 8, 1)
NETWORKS = ("biggan", "dcgan", "improved_conv", "improved_mlp", "mlp", "multiscale", "r3gan", "resnet", "stylegan2")
JOB = ("--config=digits_dcgan", "--config.generator.width=4", "--config.discriminator.width=4",
       "--config.generator.latent_dim=4", "--config.batch_size=8", "--config.checkpoint_every=4", "--config.sample_every=0",
       "--config.augment=ada")  # fmt: skip


def adam():
    return keras.optimizers.Adam(1e-3, beta_1=0.5)


def models():
    """Name -> a compiled model and the batches that it trains on; together they have every kind of state."""
    keras.utils.set_random_seed(0)
    gan = ganlib.GAN(networks.dcgan.Generator(SHAPE, 4, width=4), networks.resnet.Discriminator(SHAPE, width=4))
    rate = schedules.EachStep(schedules.Cosine(1e-3, 0.0, 9), 2)
    gan.compile(
        schedules.Adam(rate), adam(), penalties=[penalties.R1(1.0, interval=2), penalties.LeCam(schedules.Linear(1.0, 0.0, 9))],
        augment=ADA("blit,color", interval=2), ema_decay=schedules.HalfLife(5), discriminator_steps=2,
    )  # fmt: skip
    sgan = ganlib.SemiSupervisedGAN(networks.mlp.Generator(SHAPE, 4, 4), networks.mlp.Discriminator(SHAPE, 4), 10)
    terms = {"regularizers": [regularizers.Manifold()], "generator_regularizers": [regularizers.PullAway()]}
    sgan.compile(adam(), adam(), "flip", update="simultaneous", **terms)
    pair = networks.mlp.Generator(SHAPE, 4, 4, num_classes=10), networks.mlp.Discriminator(SHAPE, 4, num_classes=10)
    triple = ganlib.TripleGAN(*pair, networks.Classifier(networks.mlp.Discriminator(SHAPE, width=4).body, SHAPE, 10))
    triple.compile(adam(), adam(), adam(), regularizers=[regularizers.Consistency()])
    pseudo = ganlib.PseudoLabelClassifier(networks.Classifier(networks.mlp.Discriminator(SHAPE, width=4).body, SHAPE, 10))
    pseudo.compile(adam(), "flip")
    source = data.open("digits")
    parts = data.few_labels(source, 2, 0)
    few = data.semi_supervised_batches(parts.labeled, parts.unlabeled, 8)
    images = data.batches(source, 16, with_labels=False)
    return {"gan": (gan, images), "sgan": (sgan, few), "triple": (triple, few), "pseudo": (pseudo, few)}


def saved_names(model):
    """The names under which a `.keras` file and a checkpoint hold the weights of a model."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        names = []
        with zipfile.ZipFile(f"{folder}/model.keras") as archive:
            weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights) as file:
            file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        prefix = tf.train.Checkpoint(model=model).save(f"{folder}/checkpoint")
        keys = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    return {"keras": sorted(names), "checkpoint": sorted(key for key in keys if not key.startswith("_CHECKPOINT"))}


def names():
    """Network and number of classes -> `saved_names` of a GAN of it."""
    found = {}
    for name in NETWORKS:
        for classes in (None, 3):
            module, size = getattr(networks, name), {"width": 8, "num_classes": classes}
            generator = module.Generator((16, 16, 3), latent_dim=6, **module.Generator.earlier_defaults, **size)
            pair = generator, module.Discriminator((16, 16, 3), **module.Discriminator.earlier_defaults, **size)
            found[f"{name}-{classes}"] = saved_names(ganlib.GAN(*pair))
    return found


def write_after(folder, names=("gan", "sgan", "triple", "pseudo")):
    """Writes the weights after further training of the saved models again, with the current code: see the test's docstring."""
    folder = pathlib.Path(folder)
    with np.load(folder / "after.npz") as before:
        after = dict(before)
    batches = {name: pair[1] for name, pair in models().items()}
    for name in names:
        model = keras.saving.load_model(folder / f"{name}.keras")
        model.fit(batches[name], steps_per_epoch=3, verbose=0)
        after |= {f"{name}/{index:03d}": value for index, value in enumerate(model.get_weights())}
    np.savez_compressed(folder / "after.npz", **after)
    with tempfile.TemporaryDirectory() as temporary:
        workdir = pathlib.Path(temporary) / "run"
        shutil.copytree(folder / "run", workdir)
        job = [sys.executable, "-m", "experiments.train_gan", *JOB, "--config.steps=8", f"--workdir={workdir}"]
        subprocess.run(job, check=True)
        shutil.copytree(workdir / "checkpoints" / "step_00000008", folder / "run_at_step_8", dirs_exist_ok=True)


def main(folder):
    folder, after = pathlib.Path(folder), {}
    with gzip.open(folder / "names.json.gz", "wt") as file:
        json.dump(names(), file)
    for name, (model, batches) in models().items():
        model.fit(batches, steps_per_epoch=2, verbose=0)
        model.save(folder / f"{name}.keras")
        if hasattr(model, "generate"):
            after[f"{name}/images"] = model.generate(2)
        model = keras.saving.load_model(folder / f"{name}.keras")
        model.fit(batches, steps_per_epoch=3, verbose=0)
        after |= {f"{name}/{index:03d}": value for index, value in enumerate(model.get_weights())}
    np.savez_compressed(folder / "after.npz", **after)
    for steps, workdir in ((4, folder / "run"), (4, folder / "run_to_its_end"), (8, folder / "run_to_its_end")):
        job = [sys.executable, "-m", "experiments.train_gan", *JOB, f"--config.steps={steps}", f"--workdir={workdir}"]
        subprocess.run(job, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
