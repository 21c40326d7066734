import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.networks import efficientnet_lite, pretrained
from ganlib.networks.backbone import Backbone, Pooled

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def backbone():
    return pretrained.load("applications:MobileNetV2", (32, 32, 3), taps=3, weights=None)


def lite(**arguments):
    return Backbone(efficientnet_lite.network(0, (32, 32, 3)), (32, 32, 3), **arguments)


def test_pixels_are_preprocessed_for_the_network(backbone):
    prepared = keras.applications.mobilenet_v2.preprocess_input((IMAGES + 1) * 127.5)
    for actual, expected in zip(backbone(IMAGES), backbone.network(prepared, training=False), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    vgg = pretrained.load("applications:VGG16", (32, 32, 3), taps=1, weights=None)
    swapped = (IMAGES[..., ::-1] + 1) * 127.5 - np.array([103.939, 116.779, 123.68])  # as documented by Keras
    np.testing.assert_allclose(vgg(IMAGES)[0], vgg.network(np.float32(swapped), training=False), rtol=1e-4, atol=1e-5)


def test_gray_images_are_repeated_into_color():
    gray = pretrained.load("applications:VGG16", (32, 32, 1), taps=1, weights=None)
    color = Backbone(gray.network, (32, 32, 3), gray.pixels)
    images = IMAGES[..., :1]
    np.testing.assert_array_equal(gray(images)[0], color(np.repeat(images, 3, axis=-1))[0])


def test_the_backbone_is_frozen_and_gradients_reach_the_image(backbone):
    assert not backbone.trainable_variables
    before = [np.array(weight) for weight in backbone.weights]
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(backbone(images, training=True)[0] ** 2)
    assert np.abs(tape.gradient(total, images)).max() > 0
    for weight, value in zip(backbone.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_round_trip(backbone, tmp_path):
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    for actual, expected in zip(loaded(IMAGES), backbone(IMAGES), strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert not loaded.trainable_variables


def test_the_layers_from_a_stage_on_are_trained():
    partly = lite(trainable_from="stage6")
    blocks = {weight.path.split("/")[-2].rpartition("_block")[0] for weight in partly.trainable_variables}
    assert blocks == {"stage6", "stage7"}
    trained = {id(weight) for weight in partly.trainable_variables}
    before = [np.array(weight) for weight in partly.weights]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(partly(tf.constant(IMAGES), training=True)[0] ** 2)
    optimizer = keras.optimizers.Adam(1e-2, epsilon=1e-30)
    optimizer.apply(tape.gradient(total, partly.trainable_variables), partly.trainable_variables)
    for weight, value in zip(partly.weights, before, strict=True):  # moving statistics are not trainable, and are kept
        assert np.any(np.array(weight) != value) == (id(weight) in trained), weight.path


def test_a_layer_in_a_stage_separates_it():
    partly = lite(trainable_from="stage7_block1_narrow")
    names = [weight.path.split("/")[-2] for weight in partly.trainable_variables]
    assert names == ["stage7_block1_narrow", "stage7_block1_narrow_norm", "stage7_block1_narrow_norm"]


def test_early_layers_stay_frozen_in_a_model_that_is_frozen_and_released():
    body = Pooled(lite(trainable_from="stage7"))
    count = len(body.trainable_variables)
    body.trainable = False
    assert not body.trainable_variables
    body.trainable = True
    assert len(body.trainable_variables) == count == 9
    assert len(Pooled(lite(trainable=True)).trainable_variables) > 100


@pytest.mark.parametrize("trainable", [None, False])
def test_a_partly_trainable_backbone_is_saved(tmp_path, trainable):
    partly = lite(trainable_from="stage7", trainable=trainable)
    partly.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    assert len(loaded.trainable_variables) == len(partly.trainable_variables) == (9 if trainable is None else 0)
    loaded.trainable = True
    assert len(loaded.trainable_variables) == 9
    np.testing.assert_array_equal(loaded(IMAGES)[0], partly(IMAGES)[0])


def test_an_unknown_stage_is_an_error_of_one_line():
    with pytest.raises(ganlib.UserError, match="unknown layer of the backbone 'stage9': .* layers, from 'input.*Did you mean"):
        lite(trainable_from="stage9")


def test_means_and_maxima_of_each_map(backbone):
    maps = [np.asarray(values) for values in backbone(IMAGES)]
    expected = np.concatenate([part for m in maps for part in (m.mean((1, 2)), m.max((1, 2)))], axis=-1)
    both = Pooled(backbone, "average_and_maximum")
    np.testing.assert_allclose(both(IMAGES), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Pooled(backbone)(IMAGES), np.concatenate([m.mean((1, 2)) for m in maps], -1), atol=1e-6)
    copy = Pooled.from_config(both.get_config())
    copy.set_weights(both.get_weights())
    np.testing.assert_array_equal(copy(IMAGES), both(IMAGES))
    with pytest.raises(ganlib.UserError, match="unknown pooling 'max': known are average, average_and_maximum"):
        Pooled(backbone, "max")
