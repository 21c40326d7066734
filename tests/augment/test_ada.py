import colorsys

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

import ganlib
from ganlib import augment
from ganlib.augment import ada
from ganlib.training import RandomStream, schedules
from tests.helpers import mlp_gan, two_replicas

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 3)).astype(np.float32)
ALL = ",".join(ada.CATEGORIES)


def test_probability_zero_changes_images_only_by_the_filters():
    smooth = scipy.ndimage.gaussian_filter(IMAGES, (0, 2, 2, 0)) * 5
    for category in ("color", "noise", "cutout"):
        np.testing.assert_allclose(augment.ADA(category)(IMAGES, RandomStream(0)), IMAGES, atol=1e-6)
    np.testing.assert_allclose(augment.ADA("filter")(IMAGES, RandomStream(0)), IMAGES, atol=1e-5)
    assert np.abs(augment.ADA("blit,geometric")(smooth, RandomStream(0)) - smooth).max() < 0.05


@pytest.mark.parametrize("category", ada.CATEGORIES)
def test_each_category_changes_images_with_its_probability(category):
    images = np.tile(IMAGES, (50, 1, 1, 1))
    unchanged = np.asarray(augment.ADA(category)(images, RandomStream(0)))
    fractions = []
    for probability in (0.2, 1.0):
        augmented = np.asarray(augment.ADA(category, probability)(images, RandomStream(0)))
        fractions.append(np.mean(np.abs(augmented - unchanged).max(axis=(1, 2, 3)) > 1e-3))
    assert 0.1 < fractions[0] < 0.8
    assert fractions[1] > 0.95


def test_hue_rotates_colors():
    """The hues of `colorsys` cover the whole circle."""
    images = np.broadcast_to(np.array([0.8, 0.1, 0.3], np.float32), (400, 2, 2, 3))
    colors = np.asarray(ada.color(images, RandomStream(0), 1.0))[:, 0, 0]
    gray = colors.mean(axis=1, keepdims=True)
    assert np.std(gray) > 0.1  # changed by brightness, contrast and the flip
    hues = [colorsys.rgb_to_hsv(*(0.5 + 0.1 * (c - c.mean()) / np.linalg.norm(c - c.mean())))[0] for c in colors]
    assert np.histogram(hues, bins=6, range=(0, 1))[0].min() > 30


def test_color_is_one_affine_map_per_image():
    results = np.asarray(ada.color(IMAGES, RandomStream(0), 1.0))
    for image, result in zip(IMAGES.reshape(6, -1, 3), results.reshape(6, -1, 3), strict=True):
        pixels = np.concatenate([image, np.ones((len(image), 1))], axis=1)
        matrix, *_ = np.linalg.lstsq(pixels, result, rcond=None)
        np.testing.assert_allclose(pixels @ matrix, result, atol=1e-4)
        linear = matrix[:3].T
        ones = linear @ np.ones(3)
        assert np.ptp(ones) < 1e-4 * max(1, abs(ones[0]))  # gray stays gray


def test_color_with_one_channel():
    results = np.asarray(ada.color(IMAGES[..., :1], RandomStream(0), 1.0))
    assert results.shape == (6, 16, 16, 1)
    for image, result in zip(IMAGES[..., 0], results[..., 0], strict=True):
        slope, offset = np.polyfit(image.ravel(), result.ravel(), 1)
        np.testing.assert_allclose(slope * image + offset, result, atol=1e-4)


@pytest.mark.parametrize("category", ada.CATEGORIES)
def test_gradients_against_finite_differences_and_of_second_order(category):
    policy = augment.ADA(category, 1.0)
    images, direction = IMAGES[:2, :8, :8], np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32)

    def value(x):
        return tf.reduce_sum(policy(x, RandomStream(3)) ** 3)

    x = tf.constant(images)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = value(x)
        gradient = tape.gradient(y, x)
        norm = tf.reduce_sum(gradient**2)
    second = outer.gradient(norm, x)
    eps = 1e-2
    difference = (float(value(images + eps * direction)) - float(value(images - eps * direction))) / (2 * eps)
    assert float(tf.reduce_sum(gradient * direction)) == pytest.approx(difference, rel=2e-2)
    assert np.all(np.isfinite(second))
    assert np.abs(second).max() > 0


def test_probability_follows_the_signs():
    policy = augment.ADA(target=0.6, adjustment=1000, interval=2)
    probabilities = []
    for step, signs in enumerate([0.9, 0.7, 0.9, 0.1, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]):
        policy.adapt(tf.constant(signs), 10, tf.constant(step, tf.int64))
        probabilities.append(round(float(policy.state.probability), 4))
    # Means over two steps: 0.8 up, 0.5 down, 1.0 up, 0 down, 0 down but not below 0. Each change is 2 * 10 / 1000.
    assert probabilities == [0.0, 0.02, 0.02, 0.0, 0.0, 0.02, 0.02, 0.0, 0.0, 0.0]


def test_probability_may_exceed_one():
    policy = augment.ADA(probability=0.99, adjustment=100, interval=1)
    policy.adapt(tf.constant(1.0), 10, tf.constant(0, tf.int64))
    assert float(policy.state.probability) == pytest.approx(1.09)
    assert np.all(np.isfinite(policy(IMAGES, RandomStream(0))))


def test_strengths_multiply_the_probability_of_a_category():
    images = np.ones((2000, 2, 2, 3), np.float32)
    shares = []
    for strengths in (None, {"noise": 0.5}, {"noise": 0.0}):
        policy = augment.ADA("noise,cutout", probability=0.4, strengths=strengths)
        result = np.asarray(policy(images, RandomStream(0)))
        shares.append(np.mean(np.any(~np.isin(result, (0.0, 1.0)), axis=(1, 2, 3))))
        assert np.mean(np.any(result == 0.0, axis=(1, 2, 3))) == pytest.approx(0.4, abs=0.05)  # cutout's does not change
        assert augment.ADA.from_config(policy.get_config()).strengths == (strengths or {})
    np.testing.assert_allclose(shares, [0.4, 0.2, 0.0], atol=0.04)


def test_schedule_without_target():
    policy = augment.ADA(probability=schedules.Linear(0.0, 0.5, steps=10), target=None)
    for step in range(4):
        policy.adapt(tf.constant(1.0), 10, tf.constant(step, tf.int64))
    assert float(policy.state.probability) == pytest.approx(0.2)


def test_gan_adapts_and_saves_the_probability(images, tmp_path):
    gan = mlp_gan(augment=augment.ADA("blit,color", adjustment=100, interval=1, target=-1.0))
    logs = [gan.train_on_batch(images[:8], return_dict=True) for _ in range(3)]
    probabilities = [float(log["augment_probability"]) for log in logs]
    assert probabilities == pytest.approx([0.08, 0.16, 0.24]) or probabilities == sorted(probabilities)
    assert probabilities[-1] > 0
    assert -1 <= logs[0]["real_signs"] <= 1
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert float(loaded.augment.state.probability) == pytest.approx(probabilities[-1])
    assert loaded.augment.get_config() == gan.augment.get_config()
    for model in (gan, loaded):
        model.train_on_batch(images[:8])
    assert float(loaded.augment.state.probability) == float(gan.augment.state.probability)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_probability_adapts_once_per_step_for_any_discriminator_steps(images, count):
    """The change depends on the number of images in the step and the mean of the signs over all discriminator updates."""
    gan = mlp_gan(augment=augment.ADA("color", adjustment=1000, interval=2), discriminator_steps=count)
    gan.discriminator.head.bias.assign([100.0])  # classifies all images as real
    steps = [gan.train_on_batch(images[:20], return_dict=True) for _ in range(4)]
    np.testing.assert_allclose([logs["augment_probability"] for logs in steps], [0.0, 0.04, 0.04, 0.08], rtol=1e-6)
    signs = [tf.constant(1.0), *[tf.constant(0.0)] * (count - 1)]  # positive only in the first update
    gan.discriminator_step = lambda real, labels, rng: {"real_signs": signs.pop(0)}
    gan.make_train_function(force=True)
    steps = [gan.train_on_batch(images[:20], return_dict=True) for _ in range(2)]
    assert float(steps[-1]["real_signs"]) == pytest.approx(1.0 / count)
    assert float(steps[-1]["augment_probability"]) == pytest.approx(0.12 if count == 1 else 0.04)


@pytest.mark.parametrize("update", ["alternating", "generator_first", "reuse", "simultaneous"])
def test_probability_adapts_with_every_order_of_updates(images, update):
    gan = mlp_gan(augment=augment.ADA("color", adjustment=1000, interval=1), update=update)
    gan.discriminator.head.bias.assign([100.0])
    steps = [gan.train_on_batch(images[:20], return_dict=True) for _ in range(2)]
    np.testing.assert_allclose([logs["augment_probability"] for logs in steps], [0.02, 0.04], rtol=1e-6)
    assert [float(logs["real_signs"]) for logs in steps] == [1.0, 1.0]


def test_replicas_agree_on_the_probability(images):
    with two_replicas().scope():
        gan = mlp_gan(augment=augment.ADA("color", adjustment=100, interval=1, target=-1.0))
    gan.fit(tf.data.Dataset.from_tensor_slices(images).batch(8).repeat(), steps_per_epoch=3, verbose=0)
    values = [float(v) for v in two_replicas().experimental_local_results(gan.augment.state.probability.value)]
    assert values[0] == values[1] > 0


def test_errors():
    assert isinstance(augment.get("ada"), augment.ADA)
    with pytest.raises(ganlib.UserError, match="unknown category 'colour'.*Did you mean 'color'"):
        augment.ADA("blit,colour")
    with pytest.raises(ganlib.UserError, match="unknown category 'colour'"):
        augment.ADA("color", strengths={"colour": 0.5})
    for strengths in ({"noise": 0.5}, {"color": -1.0}):
        with pytest.raises(ganlib.UserError, match="strengths must be finite numbers of at least 0 for some of color, got"):
            augment.ADA("color", strengths=strengths)
    with pytest.raises(ganlib.UserError, match="adapts to a discriminator, and this model has none"):
        augment.get_fixed("ada")
