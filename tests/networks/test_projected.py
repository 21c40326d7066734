import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from experiments.configs import base as base_config
from ganlib import data, runs
from ganlib.networks import dcgan, pretrained, projected
from tests.helpers import adam, replicas, same, sgd, weights

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (4, 16, 16, 1)).astype(np.float32)
REAL = RNG.integers(0, 256, (32, 16, 16, 1), np.uint8)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """The path of a small discriminator that replaces a pretrained network."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("backbone") / "discriminator.keras"
    dcgan.Discriminator((16, 16, 1), width=4, normalization=None).save(path)
    return f"model:{path}"


def create_discriminator(backbone, **arguments):
    return projected.Discriminator((16, 16, 1), backbone=backbone, taps=2, **{"width": 3, **arguments})


def create_gan(backbone, optimizer=adam, classes=None, normalization="batch", **arguments):
    generator = dcgan.Generator((16, 16, 1), latent_dim=4, width=4, num_classes=classes, normalization=normalization)
    gan = ganlib.GAN(generator, create_discriminator(backbone, num_classes=classes, normalization=normalization))
    gan.compile(optimizer(), optimizer(), loss="hinge", augment="translation", **arguments)
    return gan


def batches(classes=None):
    return data.batches(data.from_arrays("noise", REAL, np.arange(32) % 3), 8, with_labels=bool(classes))


def upsample(maps, aligned):
    """Doubles the resolution by linear interpolation between pixel centers, or from corner pixel to corner pixel."""
    for axis in (1, 2):
        n = maps.shape[axis]
        centers = np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1)
        position = np.arange(2 * n) * (n - 1) / (2 * n - 1) if aligned else centers
        below = np.minimum(np.floor(position).astype(int), n - 2)
        share = (position - below).reshape([-1 if a == axis else 1 for a in range(4)])
        maps = np.take(maps, below, axis) * (1 - share) + np.take(maps, below + 1, axis) * share
    return maps


@pytest.mark.parametrize("pytorch", [False, True])
def test_channels_and_scales_are_mixed_as_in_the_paper(backbone, pytorch):
    discriminator = create_discriminator(backbone, pytorch=pytorch)
    fine, coarse = (np.asarray(maps) for maps in discriminator.backbone(IMAGES))
    assert [fine.shape, coarse.shape] == [(4, 8, 8, 4), (4, 4, 4, 8)]

    def conv(layer, maps):
        return maps @ np.asarray(layer.kernel)[0, 0] + np.asarray(layer.bias)

    mixing = discriminator.mixing
    first, second = (conv(*pair) for pair in zip(mixing.across_channels, (fine, coarse), strict=True))
    second = conv(mixing.across_scales[1], upsample(second, pytorch))
    first = conv(mixing.across_scales[0], upsample(first + second, pytorch))
    features = discriminator.features(IMAGES)
    assert [maps.shape for maps in features] == [(4, 16, 16, 3), (4, 8, 8, 3)]
    np.testing.assert_allclose(features[0], first, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(features[1], second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [None, 3])
def test_the_logit_of_an_image_is_the_mean_of_its_patch_logits(backbone, classes):
    discriminator = create_discriminator(backbone, num_classes=classes, nominal=False)
    labels = (np.arange(4) % 3,) if classes else ()
    logits = discriminator.logits(discriminator.features(IMAGES), *labels)
    assert logits.shape == (4, 2 * 5 * 5)  # both scales end at 8x8, where a 4x4 kernel has 25 positions
    np.testing.assert_allclose(discriminator(IMAGES, *labels), np.mean(logits, axis=1), rtol=1e-5)
    if classes:
        assert np.abs(discriminator(IMAGES, *labels) - discriminator(IMAGES, (labels[0] + 1) % 3)).min() > 0


def test_gradients_reach_images_and_all_trainable_weights(backbone):
    discriminator = create_discriminator(backbone, num_classes=3)
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(discriminator(images, np.arange(4) % 3, training=True) ** 2)
    gradients = tape.gradient(loss, [images, *discriminator.trainable_variables])
    assert all(np.abs(tf.convert_to_tensor(gradient)).max() > 0 for gradient in gradients)


@pytest.mark.parametrize("count", [1, 2])
def test_training_updates_all_but_the_frozen_weights(backbone, count):
    with replicas(count).scope():
        gan = create_gan(backbone)
    frozen = [weight for layer in gan.discriminator.frozen for weight in layer.weights]
    trainable = gan.discriminator.trainable_variables + gan.generator.trainable_variables
    before = [[np.array(weight) for weight in group] for group in (frozen, trainable)]
    gan.fit(batches(), steps_per_epoch=10, verbose=0)
    assert same([np.array(weight) for weight in frozen], before[0])
    for weight, value in zip(trainable, before[1], strict=True):
        assert np.any(np.array(weight) != value), weight.path


def test_two_replicas_match_one_device(backbone):
    results = []
    for count in (1, 2):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            gan = create_gan(backbone, sgd, normalization=None)
        gan.fit(batches(), steps_per_epoch=5, verbose=0)
        results.append(weights(gan))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_training_resumes_after_saving_with_the_backbone(backbone, tmp_path):
    gan = create_gan(backbone, classes=3)
    gan.fit(batches(3), steps_per_epoch=2, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert same(weights(loaded), weights(gan))
    for model in (gan, loaded):
        model.fit(batches(3), steps_per_epoch=2, verbose=0)
    assert same(weights(loaded), weights(gan))


def test_gray_images_and_maps_of_odd_sizes():
    backbone = pretrained.load("applications:MobileNetV2", (28, 28, 1), taps=4, weights=None, size=56)
    discriminator = projected.Discriminator((28, 28, 1), backbone=backbone, width=2)
    images = np.zeros((2, 28, 28, 1), np.float32)
    assert [maps.shape[1] for maps in discriminator.backbone(images)] == [14, 7, 4, 2]
    assert [maps.shape[1] for maps in discriminator.features(images)] == [28, 14, 7, 4]
    assert discriminator(images).shape == (2,)


def test_unsupported_arguments_are_rejected(backbone, tmp_path):
    with pytest.raises(ganlib.UserError, match="this discriminator has logits for patches: set top_k=1.0"):
        create_gan(backbone, top_k=0.5)
    with pytest.raises(ganlib.UserError, match="projected requires conditioning='projection'"):
        create_discriminator(backbone, num_classes=3, conditioning="auxiliary")
    config = base_config.classifier()
    config.update(method="supervised", networks="projected")
    config.discriminator.update(backbone=backbone, taps=2, width=3)
    facts = {"image_shape": [16, 16, 1], "class_names": ["a", "b"]}
    with pytest.raises(ganlib.UserError, match="networks='projected' has no features for a classifier"):
        runs.build(runs.Run(tmp_path, tmp_path, config, facts))


def test_a_config_can_combine_it_with_another_generator(backbone, tmp_path):
    config = base_config.gan()
    config.networks = "dcgan"
    config.generator.update(latent_dim=4, width=4)
    config.discriminator.update(networks="projected", backbone=backbone, taps=2, width=3)
    gan = runs.build(runs.Run(tmp_path, tmp_path, config, {"image_shape": [16, 16, 1], "class_names": []}))
    assert isinstance(gan.generator, dcgan.Generator)
    assert isinstance(gan.discriminator, projected.Discriminator)


@pytest.mark.parametrize(("side", "channels", "halved"), [(112, 64, [64, 128, 256, 512]), (56, 64, [128, 256, 512]),
                                                          (28, 128, [256, 512]), (14, 256, [512])])  # fmt: skip
def test_parameters_match_the_authors_code(side, channels, halved):
    """Compares with pg_modules/discriminator.py of github.com/autonomousvision/projected-gan, for 224x224 images."""
    scale = projected.ScaleDiscriminator(width=64)
    scale(np.zeros((1, side, side, channels), np.float32))
    chain = [channels, *halved]
    expected = sum(before * after * 16 + after + 2 * after for before, after in itertools.pairwise(chain)) + 512 * 16
    assert sum(int(np.prod(variable.shape)) for variable in scale.trainable_variables) == expected


@pytest.mark.parametrize("resolution", [128, 64, 32, 16])
def test_the_depth_follows_the_nominal_resolution(resolution):
    """Three quarters of the nominal resolutions give the same layers; smaller maps end at 4x4."""
    scale = projected.ScaleDiscriminator(width=1, resolution=resolution)
    side = resolution * 3 // 4
    assert scale(np.zeros((1, side, side, 2), np.float32)).shape == (1, 9)  # 6x6 maps
    assert len(scale.convs) == np.log2(resolution / 8)
    small = projected.ScaleDiscriminator(width=1, resolution=resolution)
    assert small(np.zeros((1, 8, 8, 2), np.float32)).shape == (1, 1)
    assert len(small.convs) == 1


def test_mixing_has_pytorchs_initial_range_also_for_biases():
    mixing = projected.RandomMixing(width=64, pytorch=True)
    mixing.build([(None, 8, 8, 24), (None, 4, 4, 320)])
    for conv, fan_in in zip(mixing.across_channels, (24, 320), strict=True):
        bound = fan_in**-0.5
        for weight in conv.weights:
            assert 0.9 * bound < np.abs(weight).max() <= bound
            assert np.std(np.asarray(weight)) == pytest.approx(bound / 3**0.5, rel=0.15)


def test_only_small_images_are_enlarged_for_the_backbone(monkeypatch):
    sizes = []
    monkeypatch.setattr(pretrained, "load", lambda *arguments: sizes.append(arguments[4]) or sizes[1000])
    for side, size in ((32, "auto"), (224, "auto"), (256, "auto"), (256, 224), (32, None)):
        with pytest.raises(IndexError):
            projected.Discriminator((side, side, 3), backbone_size=size)
    assert sizes == [224, None, None, 224, None]
    with pytest.raises(ganlib.UserError, match="backbone_size must be a number of pixels, 'auto' or None, got 'large'"):
        projected.Discriminator(backbone_size="large")


def test_efficientnet_lite_is_the_default_backbone():
    discriminator = projected.Discriminator((64, 64, 3), weights=None, backbone_size=None, width=2)
    shapes = [maps.shape[1:] for maps in discriminator.backbone(np.zeros((1, 64, 64, 3), np.float32))]
    assert shapes == [(16, 16, 24), (8, 8, 40), (4, 4, 112), (2, 2, 320)]
    assert [len(scale.convs) for scale in discriminator.scales] == [3, 2, 1, 0]


def test_a_discriminator_of_the_first_version_is_restored(backbone):
    defaults = {key: projected.Discriminator.earlier_defaults[key] for key in ("nominal", "pytorch")}
    earlier = create_discriminator(backbone, num_classes=3, **defaults)
    added = {*defaults, "constant_width"}
    restored = projected.Discriminator.from_config({k: v for k, v in earlier.get_config().items() if k not in added})
    restored.set_weights(earlier.get_weights())
    np.testing.assert_array_equal(restored(IMAGES, np.arange(4) % 3), earlier(IMAGES, np.arange(4) % 3))
    assert restored.scales[0].convs[0].form == "fresh"
