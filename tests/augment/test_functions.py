import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

import ganlib
from ganlib import augment
from ganlib.training import RandomStream

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 3)).astype(np.float32)


def test_color_against_numpy():
    shift = RandomStream(1).uniform((6, 1, 1, 1), -0.5, 0.5).numpy()
    np.testing.assert_allclose(augment.brightness(IMAGES, RandomStream(1)), IMAGES + shift, rtol=1e-5, atol=1e-6)
    scale = RandomStream(1).uniform((6, 1, 1, 1), 0.0, 2.0).numpy()
    gray = IMAGES.mean(axis=3, keepdims=True)
    np.testing.assert_allclose(augment.saturation(IMAGES, RandomStream(1)), gray + scale * (IMAGES - gray), atol=1e-5)
    scale = RandomStream(1).uniform((6, 1, 1, 1), 0.5, 1.5).numpy()
    mean = IMAGES.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(augment.contrast(IMAGES, RandomStream(1)), mean + scale * (IMAGES - mean), atol=1e-5)


def shifted(image, down, right):
    result = np.zeros_like(image)
    height, width, _ = image.shape
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[row, column] = image[row - down, column - right]
    return result


def test_translation_shifts_by_whole_pixels_and_fills_with_zeros():
    moved = augment.translation(IMAGES, RandomStream(0)).numpy()
    offsets = [(d, r) for d in (-1, 0, 1) for r in (-1, 0, 1)]
    all_matches = [
        [o for o in offsets if np.allclose(shifted(a, *o), b, atol=1e-6)] for a, b in zip(IMAGES, moved, strict=True)
    ]
    assert all(len(matches) == 1 for matches in all_matches)
    assert len({matches[0] for matches in all_matches}) > 1


def test_shift_repeats_the_border():
    """With shifts of at most 1 of 8 pixels, the images equal crops of images that numpy pads with the border."""
    moved = augment.shift(IMAGES, RandomStream(0), ratio=0.125).numpy()
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    offsets = [(d, r) for d in (0, 1, 2) for r in (0, 1, 2)]
    all_matches = [
        [(d, r) for d, r in offsets if np.allclose(image[d : d + 8, r : r + 8], result, atol=1e-6)]
        for image, result in zip(padded, moved, strict=True)
    ]
    assert all(len(matches) == 1 for matches in all_matches)
    assert len({matches[0] for matches in all_matches}) > 1


def test_reflected_shift_is_a_crop_of_the_reflected_image():
    """As in FixMatch's code: `np.pad` reflects without repeating the last pixel, and all crops are equally likely."""
    numbered = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1).repeat(2000, axis=0)
    shifted = np.asarray(augment.get("reflected_shift:0.25")(numbered, RandomStream(0)))
    padded = np.pad(numbered[0, ..., 0], 2, mode="reflect")
    crops = {padded[y : y + 8, x : x + 8].tobytes(): (y, x) for y in range(5) for x in range(5)}
    found = [crops[image[..., 0].tobytes()] for image in shifted]
    counts = np.unique(found, axis=0, return_counts=True)[1]
    assert len(counts) == 25
    assert counts.min() > 50


def test_flip_mirrors_about_half_of_the_images():
    images = np.tile(IMAGES, (50, 1, 1, 1))
    flipped = augment.flip(images, RandomStream(0)).numpy()
    mirrored = [np.array_equal(a[:, ::-1], b) for a, b in zip(images, flipped, strict=True)]
    unchanged = [np.array_equal(a, b) for a, b in zip(images, flipped, strict=True)]
    assert all(m != u for m, u in zip(mirrored, unchanged, strict=True))
    assert 0.4 < np.mean(mirrored) < 0.6


@pytest.mark.parametrize("policy", [*augment.POLICIES, "ada"])
def test_the_static_size_is_kept_for_any_batch_size(policy):
    """Networks such as StyleGAN2's need it, and the last batch of an epoch may be smaller."""
    shapes, function = [], augment.get_fixed(policy) if policy == "randaugment" else augment.get(policy)

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 12, 3))], autograph=False)
    def augmented(images):
        result = function(images, RandomStream(0))
        shapes.append(tuple(result.shape))
        return result

    assert augmented(np.zeros((2, 8, 12, 3), np.float32)).shape == (2, 8, 12, 3)
    assert shapes == [(None, 8, 12, 3)]


def test_affine_against_scipy():
    images = IMAGES[:, :, :7]  # not a square
    moved = augment.affine(images, RandomStream(3), amount=0.3).numpy()
    matrices = np.eye(2) + RandomStream(3).uniform((6, 2, 2), -0.3, 0.3).numpy()
    center = np.array([3.5, 3.0])
    for image, result, matrix in zip(images, moved, matrices, strict=True):
        for channel in range(3):
            expected = scipy.ndimage.affine_transform(
                image[..., channel], matrix, center - matrix @ center, order=1, mode="nearest"
            )
            np.testing.assert_allclose(result[..., channel], expected, atol=1e-5)


def test_elastic_against_scipy():
    """The displacement is noise smoothed by Gaussians with unit sum of squares; scipy interpolates."""
    images = IMAGES[:, :, :7]  # not a square
    deformed = augment.elastic(images, RandomStream(3), amount=0.2, smoothness=0.25).numpy()
    noise = np.sqrt(3) * (2 * RandomStream(3).uniform((6, 2, 8, 7)).numpy() - 1)
    smooth = [np.exp(-0.5 * ((np.arange(n)[:, None] - np.arange(n)) / (0.25 * n)) ** 2) for n in (8, 7)]
    rows, columns = (matrix / np.sqrt((matrix**2).sum(axis=1, keepdims=True)) for matrix in smooth)
    pixels = np.stack(np.meshgrid(np.arange(8), np.arange(7), indexing="ij"))
    for image, result, fields in zip(images, deformed, noise, strict=True):
        displacement = np.array([0.2 * size * rows @ field @ columns.T for size, field in zip((8, 7), fields, strict=True)])
        for channel in range(3):
            expected = scipy.ndimage.map_coordinates(image[..., channel], pixels + displacement, order=1, mode="nearest")
            np.testing.assert_allclose(result[..., channel], expected, atol=1e-5)


def test_elastic_displacement_has_the_given_deviation():
    """On a ramp with slope 1, the change of a pixel is its displacement: its standard deviation is 0.05 * 32 pixels, and
    neighboring pixels move similarly."""
    ramp = np.broadcast_to(np.arange(32, dtype=np.float32)[:, None, None], (300, 32, 32, 1))
    moved = (augment.elastic(ramp, RandomStream(0)).numpy() - ramp)[:, 8:24, 8:24, 0]
    assert moved.std() == pytest.approx(0.05 * 32, rel=0.05)
    assert abs(moved.mean()) < 0.1
    assert np.diff(moved, axis=1).std() < 0.3 * moved.std()


@pytest.mark.parametrize("function", [augment.affine, augment.elastic, augment.flip, augment.shift, augment.translation])
def test_gradient_is_the_adjoint(function):
    """For a linear map A of the images, <A x, y> = <x, A' y>, where A' y is the gradient of <A x, y>."""
    images, other = tf.constant(IMAGES), tf.constant(IMAGES[::-1])
    with tf.GradientTape() as tape:
        tape.watch(images)
        product = tf.reduce_sum(function(images, RandomStream(1)) * other)
    gradient = tape.gradient(product, images)
    assert float(tf.reduce_sum(gradient * images)) == pytest.approx(float(product), rel=1e-4)


def test_translation_offsets_are_uniform():
    images = np.zeros((900, 8, 8, 1), np.float32)
    images[:, 4, 4] = 1
    moved = augment.translation(images, RandomStream(0)).numpy()[:, 3:6, 3:6, 0].reshape(900, 9)
    assert moved.sum() == 900
    assert moved.sum(axis=0).min() > 60


def test_cutout_erases_one_rectangle():
    cut = augment.cutout(np.ones((200, 8, 8, 1), np.float32), RandomStream(0)).numpy()[..., 0]
    for image in cut:
        rows, columns = np.where(image == 0)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert np.ptp(rows) < 4
        assert np.ptp(columns) < 4
    assert (cut == 0).any(axis=0).all()


def test_paste_copies_a_rectangle_from_another_image():
    numbered = np.broadcast_to(np.arange(200, dtype=np.float32)[:, None, None, None], (200, 8, 8, 1))
    pasted = augment.paste(numbered, RandomStream(0)).numpy()[..., 0]
    others = []
    for number, image in enumerate(pasted):
        rows, columns = np.where(image != number)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1) if len(rows) else True
        assert len(set(image[rows, columns])) <= 1
        assert len(rows) <= 4  # each side is 0.3 * 8, rounded to 2
        others += list(image[rows, columns][:1])
    assert len(others) > 190
    assert len(set(others)) > 100
    assert (pasted != numbered[..., 0]).any(axis=0).all()  # it may lie anywhere


def test_gradients_of_both_orders():
    policy = augment.DiffAugment("color,translation,cutout,affine,elastic")
    images = tf.constant(IMAGES)
    with tf.GradientTape() as outer:
        outer.watch(images)
        with tf.GradientTape() as inner:
            inner.watch(images)
            value = tf.reduce_sum(policy(images, RandomStream(0)) ** 3)
        first = inner.gradient(value, images)
        norm = tf.reduce_sum(first**2)
    assert np.abs(outer.gradient(norm, images)).max() > 0


def test_names():
    assert augment.get("") is augment.none
    assert augment.get("color, cutout").functions == [*augment.POLICIES["color"], augment.cutout]
    with pytest.raises(ganlib.UserError, match="unknown augmentation 'colour'.*Did you mean 'color'"):
        augment.get("colour")


def test_a_policy_sets_the_size_of_the_rectangle():
    """Projected GAN's cutout has a ratio of 0.2; sides are rounded half up: 0.2 * 32 + 0.5 = 6.9."""
    ones = np.ones((200, 32, 32, 1), np.float32)
    cut = augment.get("color,cutout:0.2").functions[-1](ones, RandomStream(0)).numpy()[..., 0] == 0
    assert cut.any(axis=2).sum(axis=1).max() == cut.any(axis=1).sum(axis=1).max() == 6
    odd = augment.get("translation:0.125").functions[-1](np.ones((200, 20, 20, 1), np.float32), RandomStream(0)).numpy()[..., 0]
    assert (odd == 0).all(axis=2).sum(axis=1).max() == 3  # 2.5, rounded half up


def test_a_policy_with_a_value_is_saved():
    policy = augment.DiffAugment("color, cutout:0.2")
    restored = augment.DiffAugment.from_config(policy.get_config())
    np.testing.assert_array_equal(restored(IMAGES, RandomStream(0)), policy(IMAGES, RandomStream(0)))
    assert np.any(policy(IMAGES, RandomStream(0)) != augment.DiffAugment("color,cutout")(IMAGES, RandomStream(0)))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("cutout:half", "the ratio of augmentation 'cutout' must be a number above 0 and at most 1, as in 'cutout:0.2'"),
        ("cutout:2", "the ratio of augmentation 'cutout' must be a number above 0 and at most 1.*got '2'"),
        ("cutout:", "got ''"),
        ("color:0.2", "augmentation 'color' takes no value, got 'color:0.2': only affine, cutout"),
        ("cutuot:0.2", "unknown augmentation 'cutuot'.*Did you mean 'cutout'"),
    ],
)
def test_values_that_do_not_fit_are_rejected(policy, message):
    with pytest.raises(ganlib.UserError, match=message):
        augment.get(policy)
