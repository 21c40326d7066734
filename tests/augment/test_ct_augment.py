import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import augment
from ganlib.augment import ct_augment, transformations
from ganlib.augment.ct_augment import BINS, NAMES
from ganlib.training import RandomStream
from tests.augment import pillow


def cutout(image, half, center):
    """The authors' loop on a Pillow image."""
    pixels, (row, column) = np.array(image), center
    pixels[max(0, row - half) : row + half, max(0, column - half) : column + half] = 127
    return pillow.Image.fromarray(pixels)


OF_LEVEL = {
    **dict.fromkeys(("autocontrast", "equalize", "invert", "smooth", "blur"), lambda level: level),
    **dict.fromkeys(("brightness", "color", "contrast", "sharpness"), lambda level: 0.1 + 1.9 * level),
    "posterize": lambda level: 1 + int(level * 7.999),
    "solarize": lambda level: int(level * 255.999),
    "rotate": lambda level: int(np.round((2 * level - 1) * 45)),
    "shear_x": lambda level: (2 * level - 1) * 0.3,
    "shear_y": lambda level: (2 * level - 1) * 0.3,
    "translate_x": lambda level: (2 * level - 1) * 0.3,
    "translate_y": lambda level: (2 * level - 1) * 0.3,
}
"""The authors' settings for a magnitude."""


def by_pillow(image, name, level, second, center):
    """Applies one transformation of the authors' code to a Pillow image."""
    if name == "identity":
        return image
    if name == "cutout":
        return cutout(image, (1 + int(level * min(image.size) * 0.499)) // 2, center)
    if name == "rescale":
        return pillow.rescale(image, 0.25 * level, int(second * 5.99))
    return pillow.BY_PILLOW[name](image, OF_LEVEL[name](level))


def test_transformations_and_bins_are_those_of_the_authors():
    assert len(NAMES) == 19
    assert BINS["identity"] == ()
    assert BINS["posterize"] == (8,)
    assert BINS["rescale"] == (17, 6)
    assert {name for name, bins in BINS.items() if bins == (17,)} == {
        *NAMES} - {"identity", "posterize", "rescale"}  # fmt: skip
    policy = augment.CTAugment()
    assert (policy.depth, policy.threshold, policy.decay) == (2, 0.8, 0.99)


def test_probes_are_those_of_pillow_with_the_same_draws():
    pixels = pillow.crops(250)
    policy = augment.CTAugment()
    probe = tf.function(lambda x: policy.probe(x, RandomStream(5)), autograph=False)
    images, numbers, levels = probe(pixels / np.float32(127.5) - 1)
    rng, count = RandomStream(5), len(pixels)
    np.testing.assert_array_equal(numbers, rng.integers((count, 2), 0, 19))
    np.testing.assert_array_equal(levels, rng.uniform((count, 2, 2)))
    centers = [np.int32(np.floor(rng.uniform((count, 2)) * 32)) for _ in range(2)]
    assert set(numbers.numpy().ravel()) == set(range(19))
    differences = []
    for index in range(count):
        image = pillow.image_of(pixels[index])
        for depth in range(2):
            level, second = (float(value) for value in levels[index, depth])
            image = by_pillow(image, NAMES[numbers[index, depth]], level, second, centers[depth][index])
        differences.append(np.abs((np.asarray(images[index]) + 1) * 127.5 - np.asarray(image)).max(axis=-1) > 0.01)
    assert np.mean(differences) < 2e-3  # autocontrast rounds some levels otherwise


def test_a_square_of_half_the_size_is_cut_out_in_the_end():
    """At the lowest magnitudes, no transformation gives a black image this level, and the transformation cutout has no area."""
    policy = augment.CTAugment("flip")
    weights = np.zeros(policy.state.bin_weights.shape, np.float32)
    weights[:, :, 0] = 1.0
    policy.state.bin_weights.assign(weights)
    result = np.asarray(policy(np.full((400, 32, 32, 3), -1.0, np.float32), RandomStream(0)))
    is_cut = np.round((result + 1) * 127.5).min(axis=-1) == 127
    rows, columns = is_cut.any(axis=2), is_cut.any(axis=1)
    np.testing.assert_array_equal(is_cut, rows[:, :, None] & columns[:, None])
    assert (rows.sum(axis=1).min(), rows.sum(axis=1).max()) == (8, 16)  # the center is in the image
    assert (columns.sum(axis=1).min(), columns.sum(axis=1).max()) == (8, 16)
    assert np.mean(is_cut) == pytest.approx((0.5 * 1 + 0.5 * 0.75) ** 2 / 4, abs=0.02)


def test_strong_levels_have_the_probabilities_of_the_authors():
    """By hand: weights plus 0.01, divided by the largest; those below 0.8 are not used."""
    policy = augment.CTAugment()
    weights = np.ones(policy.state.bin_weights.shape, np.float32)
    rotate, posterize, rescale = (NAMES.index(name) for name in ("rotate", "posterize", "rescale"))
    weights[rotate, 0] = [1.0, 0.9, 0.85, 0.79, 0.7] + 12 * [0.2]
    weights[posterize, 0, :8] = [0.1, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]  # the bins from 8 on do not count
    weights[rescale, 1, :6] = [1, 0, 0, 0, 0, 1]
    policy.state.bin_weights.assign(weights)
    count = 20_000

    def shares(number, magnitude, bins):
        levels = np.asarray(policy._strong_levels(tf.fill((count,), number), RandomStream(1)))[:, magnitude]
        assert 0 < levels.min() < levels.max() < 1
        within = levels * bins % 1  # uniform in a bin
        assert np.mean(within) == pytest.approx(0.5, abs=0.02)
        return np.bincount(np.int32(levels * bins), minlength=bins) / count

    used = np.array([1.01, 0.91, 0.86, 0, 0] + 12 * [0])  # 0.80 / 1.01 is below 0.8
    np.testing.assert_allclose(shares(rotate, 0, 17), used / used.sum(), atol=0.015)
    np.testing.assert_allclose(shares(posterize, 0, 8), [0, 0] + 6 * [1 / 6], atol=0.015)
    np.testing.assert_allclose(shares(rescale, 0, 17), 17 * [1 / 17], atol=0.015)
    np.testing.assert_allclose(shares(rescale, 1, 6), [0.5, 0, 0, 0, 0, 0.5], atol=0.015)


def authors_update(weights, numbers, levels, matches, decay):
    """The authors' loop: one hit after the other."""
    weights = {name: [row.copy() for row in rows] for name, rows in weights.items()}
    for index, match in enumerate(matches):
        for number, level in zip(numbers[index], levels[index], strict=True):
            for value, row in zip(level, weights[NAMES[number]], strict=False):
                position = int(value * len(row) * 0.999)
                row[position] = row[position] * decay + match * (1 - decay)
    return weights


@pytest.mark.parametrize("decay", [0.99, 0.5])
def test_weights_are_those_of_the_authors_loop(decay):
    rng, policy = np.random.default_rng(0), augment.CTAugment(decay=decay)
    weights = policy.learned_weights()
    for count in (64, 1, 200):
        numbers = rng.integers(0, 19, (count, 2)).astype(np.int32)
        numbers[:, 1] = np.where(rng.uniform(size=count) < 0.3, NAMES.index("rescale"), numbers[:, 1])
        levels, matches = rng.uniform(size=(count, 2, 2)).astype(np.float32), rng.uniform(size=count).astype(np.float32)
        policy.update(tf.constant(numbers), tf.constant(levels), tf.constant(matches))
        weights = authors_update(weights, numbers, levels, matches, decay)
    learned = policy.learned_weights()
    assert [len(row) for row in learned["rescale"]] == [17, 6]
    assert learned["identity"] == []
    for name, rows in weights.items():
        for row, other in zip(rows, learned[name], strict=True):
            np.testing.assert_allclose(other, row, atol=1e-5)
    assert min(row.min() for rows in weights.values() for row in rows) < 0.95


def test_no_hit_changes_the_weight_of_a_bin_that_does_not_exist():
    policy = augment.CTAugment(decay=0.5)
    numbers = tf.fill((4, 2), NAMES.index("identity"))
    policy.update(numbers, tf.fill((4, 2, 2), 0.5), tf.zeros((4,)))
    np.testing.assert_array_equal(policy.state.bin_weights, np.ones((19, 2, 17)))


def test_translation_as_a_share_of_the_image():
    settings = ct_augment.values(tf.constant([0.0, 0.5, 1.0]), (32, 64), translation=0.25)
    np.testing.assert_allclose(settings["translate_y"], [-8, 0, 8])
    np.testing.assert_allclose(settings["translate_x"], [-16, 0, 16])
    still = ct_augment.values(tf.constant([0.0, 0.5, 1.0]), (32, 64))
    np.testing.assert_array_equal(still["translate_x"], [0, 0, 0])


def test_levels_of_all_settings_are_known():
    settings = ct_augment.values(tf.constant([0.5]), (32, 32))
    assert set(settings) == set(transformations.IDENTITY) == set(NAMES) - {"identity"}


def test_names_and_config():
    policy = augment.get_strong("flip, reflected_shift:0.125,ctaugment")
    assert isinstance(policy, augment.CTAugment)
    assert policy.before == "flip,reflected_shift:0.125"
    assert augment.get_strong("ctaugment").before == ""
    policy = augment.CTAugment("flip", depth=3, threshold=0.5, decay=0.9, translation=0.1)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(policy))
    assert restored.get_config() == policy.get_config()
    images = pillow.crops(4) / np.float32(127.5) - 1
    np.testing.assert_array_equal(restored(images, RandomStream(0)), policy(images, RandomStream(0)))


@pytest.mark.parametrize(
    ("get", "name", "message"),
    [
        (augment.get_strong, "ctaugment,cutout", "'ctaugment' must be the last one, because it ends with cutout, got"),
        (augment.get_strong, "flipp,ctaugment", "unknown augmentation 'flipp'.*Did you mean 'flip'"),
        (augment.get_strong, "ada", "'ada' adapts to a discriminator, and this model has none"),
        (augment.get_fixed, "flip,ctaugment", "'flip,ctaugment' adapts to the classification of labeled images"),
        (augment.get, "flip,ctaugment", "'flip,ctaugment' have no derivatives, which a generator needs"),
        (augment.get, "flip,randaugment", "'flip,randaugment' have no derivatives, which a generator needs"),
        (augment.get, augment.CTAugment(), "'CTAugment' have no derivatives, which a generator needs"),
        (augment.get_fixed, "randaugment:0.5", "'randaugment' takes no value"),
    ],
)
def test_augmentations_that_do_not_fit_are_rejected(get, name, message):
    with pytest.raises(ganlib.UserError, match=message):
        get(name)


@pytest.mark.parametrize(
    "arguments", [{"threshold": 0.0}, {"threshold": 1.1}, {"decay": 1.0}, {"translation": -0.1}, {"depth": 0}]
)
def test_numbers_out_of_range_are_rejected(arguments):
    with pytest.raises(ganlib.UserError, match="CTAugment takes a threshold in|depth must be at least 1, got 0"):
        augment.CTAugment(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ctaugment", "randaugment"])
def test_xla_gives_the_same_images(name):
    policy, images = augment.get_strong(f"flip,{name}"), pillow.crops(40) / np.float32(127.5) - 1
    results = [
        tf.function(lambda x: policy(x, RandomStream(0)), jit_compile=jit_compile, autograph=False)(tf.constant(images))
        for jit_compile in (False, True)
    ]
    assert np.mean(np.abs(results[0] - results[1]) > 1e-4) < 1e-3  # a level is rounded otherwise
