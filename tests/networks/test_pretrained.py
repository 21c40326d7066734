import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from experiments.configs import base
from ganlib import runs
from ganlib.networks import Classifier, dcgan, pretrained

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)


def mobilenet(**arguments):
    return pretrained.load("applications:MobileNetV2", (32, 32, 3), weights=None, **arguments)


@pytest.fixture(scope="module")
def backbone():
    return mobilenet(taps=3)


@pytest.fixture
def discriminator_file(tmp_path):
    discriminator = dcgan.Discriminator((32, 32, 3), width=4)
    discriminator.save(tmp_path / "discriminator.keras")
    return discriminator, tmp_path / "discriminator.keras"


def test_taps_are_the_last_sums_at_the_coarsest_resolutions(backbone):
    """MobileNetV2's stages with strides 8, 16 and 32 have 32, 96 and 160 channels (Sandler et al. 2018, table 2)."""
    assert [maps.shape for maps in backbone(IMAGES)] == [(2, 4, 4, 32), (2, 2, 2, 96), (2, 1, 1, 160)]
    larger = mobilenet(taps=2, size=64)
    assert [maps.shape for maps in larger(IMAGES)] == [(2, 4, 4, 96), (2, 2, 2, 160)]


def test_excitations_are_not_tapped():
    """Their 1x1 maps scale finer ones. The last stages have 48 and 96 channels (Howard et al. 2019, table 2)."""
    small = pretrained.load("applications:MobileNetV3Small", (64, 64, 3), taps=2, weights=None)
    assert [maps.shape for maps in small(np.zeros((2, 64, 64, 3), np.float32))] == [(2, 4, 4, 48), (2, 2, 2, 96)]


@pytest.mark.parametrize(
    "name", ["InceptionV3", "EfficientNetV2B0", "ResNet50", "ResNet101V2", "ConvNeXtTiny", "MobileNetV3Large"]
)
def test_applications_are_returned_with_their_module(name):
    constructor, module = pretrained.application(name)
    assert constructor is getattr(keras.applications, name)
    assert callable(module.preprocess_input)
    assert module.__name__.rpartition(".")[2] == constructor.__module__.rpartition(".")[2]


def test_layers_are_tapped_by_name():
    named = mobilenet(taps=("block_2_add", "block_5_add"))
    assert [maps.shape[-1] for maps in named(IMAGES)] == [24, 32]
    with pytest.raises(ganlib.UserError, match="unknown layer of the backbone 'block_2_ad'.*Did you mean 'block_2_add'"):
        mobilenet(taps=("block_2_ad",))


def test_a_stage_is_tapped_at_its_last_layer():
    stage, last = mobilenet(taps="block_2"), mobilenet(taps=["block_2_add"])
    last.set_weights(stage.get_weights())
    np.testing.assert_array_equal(stage(IMAGES)[0], last(IMAGES)[0])
    assert len(stage(IMAGES)) == 1


def test_a_discriminator_or_classifier_of_ganlib(discriminator_file, tmp_path):
    discriminator, path = discriminator_file
    maps = pretrained.load(f"model:{path}", (32, 32, 3), taps=3)(IMAGES)
    assert [m.shape for m in maps] == [(2, 16, 16, 4), (2, 8, 8, 8), (2, 4, 4, 16)]
    np.testing.assert_allclose(np.reshape(maps[-1], (2, -1)), discriminator.features(IMAGES), atol=1e-6)
    Classifier(discriminator.body, (32, 32, 3), 5).save(tmp_path / "classifier.keras")
    others = pretrained.load(f"model:{tmp_path / 'classifier.keras'}", (32, 32, 3), taps=3)(IMAGES)
    np.testing.assert_array_equal(others[-1], maps[-1])


def test_custom_models_take_pixel_values(tmp_path):
    inputs = keras.layers.Input((32, 32, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 3, strides=2)(inputs)).save(tmp_path / "own.keras")
    backbone = pretrained.load(f"model:{tmp_path / 'own.keras'}", (32, 32, 3), taps=1)
    np.testing.assert_allclose(backbone(IMAGES)[0], backbone.network((IMAGES + 1) * 127.5), rtol=1e-5)


def test_images_are_resized_to_the_networks_input_size(discriminator_file):
    discriminator, path = discriminator_file
    backbone = pretrained.load(f"model:{path}", (16, 16, 3), taps=1)
    images = np.zeros((2, 16, 16, 3), np.float32) + np.linspace(-1, 1, 3, dtype=np.float32)  # resizing preserves uniform images
    expected = discriminator.features(np.zeros((2, 32, 32, 3), np.float32) + images[:, :1, :1])
    np.testing.assert_allclose(np.reshape(backbone(images)[0], (2, -1)), expected, atol=1e-6)


def test_color_images_are_not_converted_to_gray(tmp_path):
    dcgan.Discriminator((16, 16, 1), width=4).save(tmp_path / "gray.keras")
    with pytest.raises(ganlib.UserError, match="the backbone takes images of 1 channels, got images of 3"):
        pretrained.load(f"model:{tmp_path / 'gray.keras'}", (16, 16, 3), taps=1)


def test_weights_from_a_file(tmp_path):
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    network.save_weights(tmp_path / "own.weights.h5")
    backbone = pretrained.load("applications:VGG16", (32, 32, 3), 1, weights=str(tmp_path / "own.weights.h5"))
    np.testing.assert_array_equal(backbone.network.weights[0], network.weights[0])


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        ("applications:MobileNetV22", {}, "unknown network of keras.applications 'MobileNetV22'.*MobileNetV2"),
        ("applications:MobileNetV2", {"weights": "none.h5"}, "no weights for MobileNetV2 .*put the file"),
        ("applications:MobileNetV2", {"weights": None, "taps": 9}, "maps at 5 resolutions: taps must be from 1 to 5, got 9"),
        (
            "applications:MobileNetV2",
            {"weights": None, "size": 16},
            "MobileNetV2 does not support images of 16x16: set a larger size",
        ),
        ("model:nowhere.keras", {}, "'nowhere.keras' is not a Keras model"),
        ("MobileNetV2", {}, "unknown backbone 'MobileNetV2': use efficientnet_lite0, applications:NAME or model:PATH"),
    ],
)
def test_errors_have_one_line(source, arguments, message):
    with pytest.raises(ganlib.UserError, match=message) as caught:
        pretrained.load(source, (32, 32, 3), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("facts", "expected"), [({"defaults_of": "0.2.0"}, "efficientnet_lite0"), ({}, "applications:MobileNetV2")]
)
def test_the_default_backbone(tmp_path, monkeypatch, facts, expected):
    """It has ImageNet weights. Runs of ganlib 0.1, whose facts do not say the version, keep theirs."""
    loaded = []
    backbone = mobilenet(taps=1)
    monkeypatch.setattr(pretrained, "load", lambda *arguments: loaded.append(arguments) or backbone)
    config = base.classifier()
    config.update(method="supervised", networks="pretrained")
    runs.build(runs.Run(tmp_path, tmp_path, config, {"image_shape": [32, 32, 3], "class_names": ["a", "b"], **facts}))
    assert [(source, weights) for source, _, _, weights, *_ in loaded] == [(expected, "imagenet")]


def test_a_discriminator_keeps_its_settings_and_trains_the_last_layers(tmp_path):
    arguments = {"backbone": "efficientnet_lite0", "weights": None, "taps": ["stage6", "stage7"]}
    discriminator = pretrained.Discriminator(
        (32, 32, 3), pooling="average_and_maximum", trainable_from="stage7", num_classes=3, **arguments
    )
    assert discriminator.features(IMAGES).shape == (2, 2 * (192 + 320))
    discriminator.save(tmp_path / "discriminator.keras")
    loaded = keras.saving.load_model(tmp_path / "discriminator.keras")
    labels = np.array([0, 2])
    np.testing.assert_array_equal(loaded(IMAGES, labels), discriminator(IMAGES, labels))
    names = [[weight.path for weight in network.body.trainable_variables] for network in (discriminator, loaded)]
    assert names[0] == names[1]
    assert {name.split("/")[-2].split("_")[0] for name in names[0]} == {"stage7"}
    with pytest.raises(ganlib.UserError, match="a Backbone has its own trainable_from"):
        pretrained.Discriminator((32, 32, 3), backbone=discriminator.backbone, trainable_from="stage7")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_classifier_trains_the_last_layer_or_all_layers(discriminator_file, tmp_path, frozen):
    _, path = discriminator_file
    config = base.classifier()
    config.update(method="supervised", networks="pretrained", freeze_features=frozen)
    config.discriminator.update(backbone=f"model:{path}", taps=2)
    model = runs.build(runs.Run(tmp_path, tmp_path, config, {"image_shape": [32, 32, 3], "class_names": ["a", "b"]}))
    assert model.network.features(IMAGES).shape == (2, 8 + 16)
    body = model.network.body
    before = [np.array(weight) for weight in body.weights]
    images = np.uint8((np.concatenate([IMAGES] * 4) + 1) * 127.5)
    model.fit(tf.data.Dataset.from_tensors((images, np.arange(8) % 2)).repeat(), steps_per_epoch=2, verbose=0)
    changed = [np.any(np.array(weight) != value) for weight, value in zip(body.weights, before, strict=True)]
    assert changed == [not frozen and weight.trainable for weight in body.weights]
    assert any(changed) != frozen
    model.classifier.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(loaded.classify(images), model.classifier.classify(images))
