import keras
import numpy as np
import pytest
import scipy.special

import ganlib
from experiments.studies.parity import comparison
from ganlib.metrics import features
from ganlib.networks import Classifier, efficientnet_lite, mlp, pretrained
from tests.helpers import bicubic_by_pillow


@pytest.mark.parametrize("count", [3, 150])
def test_a_custom_model(tmp_path, count):
    inputs = keras.layers.Input((8, 8, 1))
    flat = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, {"features": flat, "probabilities": keras.layers.Dense(4, activation="softmax")(flat)})
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), np.uint8)
    model.save(tmp_path / "model.keras")
    extractor = features.get(f"model:{tmp_path / 'model.keras'}")
    result = extractor(images)
    np.testing.assert_array_equal(result.features, images.reshape(count, 64))
    assert result.probabilities.shape == (count, 4)
    assert extractor.version == features.from_model(model, "mine").version
    model.set_weights([w + 1 for w in model.get_weights()])
    assert extractor.version != features.from_model(model, "mine").version


def test_a_classifier_provides_features_and_probabilities():
    classifier = Classifier(mlp.Discriminator((8, 8, 1), width=16).body, (8, 8, 1), num_classes=3)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    result = features.get(classifier)(images)
    np.testing.assert_allclose(result.features, classifier.features(images), atol=1e-5)
    np.testing.assert_allclose(result.probabilities, classifier.classify(images), atol=1e-5)


def test_a_discriminator_provides_its_features():
    discriminator = mlp.Discriminator((8, 8, 1), width=16, num_classes=3)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    result = features.get(discriminator)(images)
    np.testing.assert_allclose(result.features, discriminator.features(images / np.float32(127.5) - 1), atol=1e-5)
    assert result.probabilities is None


def test_a_network_of_keras_applications():
    keras.utils.set_random_seed(0)
    extractor = features.application("MobileNetV2", weights=None)
    gray = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 1), np.uint8)
    result = extractor(gray)
    assert result.features.shape == (2, 1280)
    assert result.probabilities.shape == (2, 1000)
    np.testing.assert_allclose(result.probabilities.sum(1), 1, atol=1e-4)
    # Expected: repetition to color, Pillow's resizing, Keras's preprocessing, the layer before the classes.
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None)
    pixels = np.stack([bicubic_by_pillow(np.repeat(image, 3, axis=-1), 224) for image in gray])
    expected = model.predict(keras.applications.mobilenet_v2.preprocess_input(pixels), verbose=0)
    np.testing.assert_allclose(result.probabilities, expected, rtol=1e-3)


@pytest.mark.parametrize(("variant", "size"), [(0, 224), (1, 240)])
def test_an_efficientnet_lite(variant, size):
    extractor = features.get(f"efficientnet_lite:{variant}")
    gray = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 1), np.uint8)
    result = extractor(gray)
    network = efficientnet_lite.network(variant, (size, size, 3), classes=1000)
    efficientnet_lite.load_weights(network)
    pixels = np.stack([bicubic_by_pillow(np.repeat(image, 3, axis=-1), size) for image in gray])
    logits = network.predict((pixels - 127) / 128, verbose=0)
    np.testing.assert_allclose(result.probabilities, scipy.special.softmax(logits, axis=1), rtol=2e-3)
    kernel, bias = network.get_layer("logits").get_weights()
    np.testing.assert_allclose(result.features @ kernel + bias, logits, atol=2e-3)
    assert result.features.shape == (2, 1280)
    assert extractor.version == features.get(f"efficientnet_lite{variant}").version
    assert extractor.version != features.get(f"efficientnet_lite:{1 - variant}").version


@pytest.mark.skipif(not (comparison.FOLDER / "effnet_lite.npz").exists(), reason="the reference file is not here")
def test_an_efficientnet_lite_has_the_probabilities_of_the_package():
    reference = np.load(comparison.FOLDER / "effnet_lite.npz")
    probabilities = features.get("efficientnet_lite:0")(reference["in/uint8"].transpose(0, 2, 3, 1)).probabilities
    expected = scipy.special.softmax(reference["out/lite0/half/logits"], axis=1)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-3, atol=1e-7)


def test_a_network_without_pooling_uses_the_layer_before_the_classes(monkeypatch):
    """VGG16, the network of the paper on precision and recall, has none."""
    inputs = keras.layers.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Dense(5)(keras.layers.Flatten()(inputs))))
    monkeypatch.setattr(pretrained, "make", lambda name, weights: (model, keras.applications.mobilenet_v2))
    assert features.application("VGG16")(np.zeros((2, 8, 8, 3), np.uint8)).features.shape == (2, 5)


def test_missing_weights_are_reported(monkeypatch):
    def fail(weights):
        raise ValueError("URL fetch failure on https://host/weights.h5")

    fail.__module__ = keras.applications.MobileNetV2.__module__
    monkeypatch.setattr(keras.applications, "MobileNetV2", fail)
    with pytest.raises(ganlib.UserError, match="no weights for MobileNetV2 .URL fetch failure.*put the file"):
        features.get("applications:MobileNetV2")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("efficientnet_lite:2", "unknown EfficientNet-Lite '2': known are 0, 1"),
        ("efficientnet_lite", "unknown EfficientNet-Lite ''"),
        ("incepton_v3", "unknown features 'incepton_v3'.*Did you mean 'inception_v3'"),
        ("applications:Mobile", "unknown network of keras.applications 'Mobile'"),
        ("model:/nowhere.keras", "'/nowhere.keras' is not a Keras model"),
        ("in_domain", "these in_domain features require the real images, which are not given here: pass them"),
        ("in_domain:test", "require the real test images, which are not given here"),
        ("in_domain:tset", "unknown images of in_domain 'tset'.*Did you mean 'test'"),
    ],
)
def test_unknown_names_are_rejected(name, message):
    with pytest.raises(ganlib.UserError, match=message):
        features.get(name)


def test_models_that_do_not_map_images_to_features_are_rejected():
    images = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(images)
    for model, message in [
        (keras.Sequential([keras.layers.Input((64,)), keras.layers.Dense(2)]), r"got the input shape \(None, 64\)"),
        (keras.Sequential([keras.layers.Input((8, 8, 2)), keras.layers.Flatten()]), "in gray or color"),
        (keras.Sequential([keras.layers.Input((8, None, 1)), keras.layers.GlobalMaxPooling2D()]), "images of one size"),
        (keras.Sequential([keras.layers.Flatten()]), "got the input shape None"),
        (keras.Model(images, {"a": flat}), "as 'features' in a dict"),
        (keras.Model(images, [flat, flat]), r"must return \(n, F\)"),
        (keras.Model(images, keras.layers.Conv2D(2, 3)(images)), r"must return \(n, F\)"),
    ]:
        with pytest.raises(ganlib.UserError, match=message):
            features.from_model(model, "m")
    with pytest.raises(ganlib.UserError, match="features must be a name"):
        features.get(None)
