"""What cannot be measured is an error before anything is computed or trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from experiments import configs, train_gan
from ganlib import data, evaluation, networks
from tests.helpers import mlp_gan

SOURCE = data.open("digits")
UNLABELED = data.from_arrays("mine", SOURCE.images)
OTHER_CLASSES = data.from_arrays("other", SOURCE.images, SOURCE.labels % 2, ("even", "odd"))


@pytest.fixture
def pixels():
    return keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()], name="pixels")


def never(*arguments):
    raise AssertionError("nothing is computed before the checks")


@pytest.mark.parametrize(
    ("metric", "source", "num_classes", "message"),
    [
        ("is", SOURCE, 10, "is requires class probabilities, which the feature network pixels lacks"),
        ("intra_fid", UNLABELED, 10, "intra_fid requires labeled images, which mine lacks"),
        ("intra_fid", SOURCE, None, "intra_fid requires a conditional GAN, whose images have labels"),
        ("intra_fid", OTHER_CLASSES, 10, "other has 2 and the GAN 10: use the images that it was trained on"),
        ("fid_test", SOURCE, 10, "fid_test requires real test images: pass test, or omit fid_test"),
        ("fld", SOURCE, 10, "fld requires real test images"),
        ("cas", SOURCE, 10, "cas requires real test images"),
    ],
)
def test_a_metric_that_cannot_be_computed(pixels, monkeypatch, metric, source, num_classes, message):
    monkeypatch.setattr(evaluation.generation, "gather_cached", never)
    with pytest.raises(ganlib.UserError, match=message):
        evaluation.Evaluation(source, ["fid", metric], pixels).prepare(mlp_gan(num_classes=num_classes))


@pytest.mark.parametrize(
    ("metric", "count", "samples", "pairs", "message"),
    [
        ("is", 100, 5, 100, "is requires at least 10 generated images, got 5"),
        ("precision_recall", 100, 3, 100, "precision_recall requires at least 4 generated images, got 3"),
        ("precision_recall", 100, 100, 2, "precision_recall requires at least 4 real images, got 2"),
        ("density_coverage", 5, 100, 100, "density_coverage requires at least 6 real images, got 5"),
        ("intra_fid", 11, 100, 100, "intra_fid requires 2 images of each class, but class . has 1 real ones"),
        ("intra_fid", 300, 12, 100, "intra_fid requires 2 images of each class, but class . has . generated ones"),
    ],
)
def test_too_few_images(pixels, metric, count, samples, pairs, message):
    few = data.from_arrays("few", SOURCE.images[:count], np.arange(count) % 10, SOURCE.class_names)
    with pytest.raises(ganlib.UserError, match=message):
        evaluation.Evaluation(few, ["fid", metric], pixels, samples, pairs=pairs).prepare(mlp_gan(num_classes=10))


def test_images_that_are_too_small(pixels):
    small = data.from_arrays("small", SOURCE.images[:, :6, :6])
    with pytest.raises(ganlib.UserError, match=r"swd requires images of at least 7 pixels, got \(6, 6, 1\)"):
        evaluation.Evaluation(small, ["swd"], pixels)


def test_logits_instead_of_probabilities():
    inputs = keras.layers.Input((8, 8, 1))
    flat = keras.layers.Flatten()(inputs)
    network = keras.Model(inputs, {"features": flat, "probabilities": keras.layers.Dense(3, bias_initializer="ones")(flat)})
    with pytest.raises(ganlib.UserError, match="each row of probabilities must sum to 1"):
        evaluation.Evaluation(SOURCE, ["is"], network).prepare(mlp_gan())


def test_classes_with_other_names(pixels):
    renamed = data.from_arrays("renamed", SOURCE.images, SOURCE.labels, tuple("abcdefghij"))
    with pytest.raises(
        ganlib.UserError, match=r"those of digits/train are 0, 1, 2, 3, 4, \.\.\. and those of renamed are a, b"
    ):
        evaluation.Evaluation(SOURCE, ["intra_fid"], pixels).of_source(renamed)


@pytest.mark.parametrize("arguments", [{"names": []}, {"seed": -1}, {"pairs": 1}])
def test_invalid_arguments(pixels, arguments):
    with pytest.raises(ganlib.UserError, match="there are no metrics|seed must be at least 0, got -1|pairs must be at least 2"):
        evaluation.Evaluation(SOURCE, **{"names": ["fid"], "features": pixels, **arguments})


def test_images_of_another_size(pixels):
    large = data.open("digits", "test", image_size=16)
    with pytest.raises(ganlib.UserError, match="set the same image_size for both"):
        evaluation.Evaluation(SOURCE, ["fid_test"], pixels, test=large)


def test_images_have_no_path_length(pixels):
    evaluate = evaluation.Evaluation(SOURCE, ["ppl"], pixels)
    with pytest.raises(ganlib.UserError, match="ppl requires a generator, not images"):
        evaluate.of_source(SOURCE)


def test_training_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setattr(ganlib.GAN, "fit", never)
    config = configs.load("digits_dcgan", ["smoke=True", "conditional=False", "metrics=intra_fid"])
    with pytest.raises(ganlib.UserError, match="intra_fid requires a conditional GAN"):
        train_gan.train(config, tmp_path)


def test_statistics_by_class_are_computed_only_for_their_metric(pixels, tmp_path):
    """With 2,048 features, those of 1,000 classes take 34 GB."""
    for metric, classes in (("fid", 0), ("intra_fid", 10)):
        evaluate = evaluation.Evaluation(SOURCE, [metric], pixels, cache_dir=tmp_path)
        assert len(evaluate.real.by_class) == classes
        assert evaluate.real.label_counts == dict(enumerate(np.bincount(SOURCE.labels)))


def test_labels_of_a_streamed_set_follow_its_frequencies(pixels, tmp_path):
    images, labels = SOURCE.images[:300], np.repeat([0, 1], [250, 50])
    pairs = tf.data.Dataset.from_tensor_slices((images, labels))
    streamed = data.Source("mine", (8, 8, 1), 300, class_names=("a", "b"), stream=lambda seed, start: pairs)
    evaluate = evaluation.Evaluation(streamed, ["fid"], pixels, cache_dir=tmp_path)
    assert np.bincount(evaluate._real_labels()).tolist() == [250, 50]


def test_path_length_needs_float32(pixels):
    """Neighboring images differ by less than half precision resolves: their distances would be rounding errors."""
    half = networks.dcgan.Generator((8, 8, 1), latent_dim=4, width=4, dtype="mixed_bfloat16")
    gan = ganlib.GAN(half, networks.dcgan.Discriminator((8, 8, 1), width=4))
    with pytest.raises(ganlib.UserError, match=r"ppl .* too little for bfloat16: load the run with precision='float32'"):
        evaluation.Evaluation(SOURCE, ["ppl"], pixels).prepare(gan)
