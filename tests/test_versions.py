import sys

import keras
import numpy as np
import pytest

from ganlib import versions
from ganlib.networks import Classifier, mlp


def network(activation="relu", policy="float32", pool=False, scale=None, custom=None):
    """Builds a small model. Keras names its layers by the layers created earlier."""
    layers = [keras.layers.Input((4, 4, 1))]
    if scale:
        layers.append(keras.layers.Rescaling(scale))
    layers.append(keras.layers.Conv2D(3, 2, activation=activation, dtype=policy, kernel_initializer="ones"))
    if custom:
        layers.append(custom())
    layers.append(keras.layers.GlobalMaxPooling2D() if pool else keras.layers.GlobalAveragePooling2D())
    return keras.Sequential(layers)


def nested(model):
    inputs = keras.layers.Input((4, 4, 1))
    return keras.Model(inputs, {"features": keras.layers.Flatten()(model(inputs))})


def test_version_of_a_network_does_not_depend_on_earlier_layers(tmp_path):
    first = nested(network())
    assert versions.of_model(nested(network())) == versions.of_model(first)
    first.compile("adam", "mse")
    first.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    assert versions.of_model(again) == versions.of_model(first) == versions.of_model(nested(network()))


class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x


Halved = type("Doubled", (keras.layers.Layer,), {"call": lambda self, x: x / 2, "__module__": "elsewhere"})


@pytest.mark.parametrize(
    "change",
    [{"scale": 0.5}, {"activation": "tanh"}, {"policy": "mixed_bfloat16"}, {"pool": True}, {"custom": Doubled}],
    ids=str,
)
def test_version_depends_on_the_network(change):
    assert versions.of_model(nested(network(**change))) != versions.of_model(nested(network()))


def test_version_depends_on_weights_and_custom_code():
    model = network()
    before = versions.of_model(model)
    model.set_weights([w + 1 for w in model.get_weights()])
    assert versions.of_model(model) != before
    assert versions.of_model(network(custom=Doubled)) != versions.of_model(network(custom=Halved))


def test_model_without_a_config():
    class CustomModel(keras.Model):
        def __init__(self, function):
            super().__init__()
            self.function, self.inner = function, keras.layers.Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.inner(self.function(x))

    model = CustomModel(lambda x: x)
    model(np.ones((1, 3), np.float32))
    assert len(versions.of_model(model)) == 12


def test_version_of_a_ganlib_network_depends_on_the_code(monkeypatch):
    classifier = Classifier(mlp.Discriminator((8, 8, 1), width=16).body, (8, 8, 1), num_classes=3)
    before = versions.of_model(classifier)
    assert versions.of_model(classifier) == before
    monkeypatch.setattr(versions, "of_code", lambda *files: "another")
    assert versions.of_model(classifier) != before


def test_comments_and_docstrings_are_ignored():
    source = '"""Of this."""\n\ndef f(x):\n    """Doubles."""\n    # twice\n    return 2 * x\n'
    assert versions._statements(source) == versions._statements("def f(x):\n    return 2*x")
    assert versions._statements(source) != versions._statements("def f(x):\n    return 3*x")
    assert len({versions.of_code(), versions.of_code("plots.py"), versions.of_code("files.py")}) == 3


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="hashes of code depend on Python's grammar")
def test_every_line_of_unchanged_results_has_an_effect():
    hashes = {versions.of(versions._statements(path.read_text())) for path in versions.FOLDER.rglob("*.py")}
    assert set(versions.UNCHANGED_RESULTS) <= hashes
