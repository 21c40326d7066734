"""Cached values on disk: a change to anything that a value depends on causes a new computation."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlib import data, evaluation, metrics, versions
from ganlib.evaluation import accuracy_score
from ganlib.metrics import features, in_domain, instances

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), np.uint8)
LABELS = np.arange(12) % 2


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Everything that the cached values below depend on."""

    images: np.ndarray = dataclasses.field(default_factory=lambda: IMAGES)
    labels: np.ndarray = dataclasses.field(default_factory=lambda: LABELS)
    names: tuple = ("a", "b")
    test_labels: np.ndarray = dataclasses.field(default_factory=lambda: LABELS)
    scale: float | None = None
    weight: float = 1.0
    size: int = 4
    channels: int = 1
    samples: int = 6
    seed: int = 0
    neighbors: int = 2
    metrics: tuple = ("fid",)
    pairs: int = 5

    @property
    def source(self):
        return data.from_arrays("mine", self.images, self.labels, self.names)

    @property
    def extractor(self):
        layers = [keras.layers.Input((self.size, self.size, self.channels))]
        layers += [keras.layers.Rescaling(self.scale)] if self.scale else []
        layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
        model = keras.Sequential(layers)
        model.set_weights([np.full(weight.shape, self.weight) for weight in model.get_weights()])
        return features.from_model(model, "mine")


def statistics(inputs, folder):
    evaluation.Evaluation(inputs.source, inputs.metrics, inputs.extractor, cache_dir=folder, pairs=inputs.pairs).prepare()


def classifier(inputs, folder):
    in_domain.load(inputs.source, folder)


def neighbors(inputs, folder):
    instances.prepare(inputs.source, inputs.extractor, inputs.neighbors, folder)


def accuracy_of_real_images(inputs, folder):
    test_images = IMAGES.reshape(12, *inputs.images.shape[1:])  # images of another shape are refused
    test = data.from_arrays("test", test_images, inputs.test_labels, inputs.names)
    accuracy_score.of_real_images(inputs.source, test, inputs.samples, inputs.seed, folder)


DATA_CHANGES = [{"images": IMAGES + 1}, {"images": IMAGES[:, ::-1]}, {"labels": 1 - LABELS}, {"names": ("b", "a")},
               {"images": IMAGES[:10], "labels": LABELS[:10]}, {"images": IMAGES.reshape(12, 2, 8, 1)}]  # fmt: skip
NETWORK_CHANGES = [{"scale": 0.5}, {"weight": 2.0}, {"size": 6}, {"channels": 3}]
IN_DOMAIN = [(in_domain, name) for name in ("EPOCHS", "MIN_STEPS", "BATCH_SIZE", "NUM_FEATURES")]
LIBRARIES = [(library, "__version__") for library in (keras, tf)]
DEPENDENCIES = {
    statistics: [*DATA_CHANGES, *NETWORK_CHANGES, {"pairs": 6}, {"metrics": ("intra_fid",)}, *LIBRARIES, "code"],
    classifier: [*DATA_CHANGES, *IN_DOMAIN, "code"],
    neighbors: [*DATA_CHANGES, *NETWORK_CHANGES, {"neighbors": 3}, "code"],
    accuracy_of_real_images: [
        *DATA_CHANGES,
        {"test_labels": 1 - LABELS},
        {"samples": 5},
        {"seed": 1},
        *IN_DOMAIN,
        *LIBRARIES,
        "code",
    ],
}


def name_of(change):
    if isinstance(change, dict):
        return ",".join(f"{key}={np.shape(value) or value}" for key, value in change.items())
    return change if isinstance(change, str) else change[1]


@pytest.fixture(autouse=True)
def skip_training(monkeypatch):
    def train(*arguments, **others):
        return keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])

    monkeypatch.setattr(in_domain, "train", train)
    monkeypatch.setattr(metrics, "classification_accuracy_score", lambda *arguments: 0.5)


@pytest.mark.parametrize(
    ("compute", "change"),
    [
        pytest.param(compute, change, id=f"{compute.__name__}-{name_of(change)}")
        for compute, changes in DEPENDENCIES.items()
        for change in changes
    ],
)
def test_cached_value_is_computed_again_after_a_change(compute, change, tmp_path, monkeypatch):
    inputs = Inputs()
    compute(inputs, tmp_path)
    compute(inputs, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1, "nothing has changed"
    if isinstance(change, dict):
        inputs = dataclasses.replace(inputs, **change)
    elif change == "code":
        monkeypatch.setattr(versions, "of_code", lambda *files: f"another {files}")
    else:
        value = getattr(*change)
        monkeypatch.setattr(*change, value + (".1" if isinstance(value, str) else 1))
    compute(inputs, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
