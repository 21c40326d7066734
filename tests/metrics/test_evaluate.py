import logging

import keras
import numpy as np
import pytest

import ganlib
from ganlib import metrics
from ganlib.metrics import evaluate, features


@pytest.fixture
def extractor():
    """Nine pixels as features, and probabilities of two classes."""
    inputs = keras.layers.Input((3, 3, 1))
    flat = keras.layers.Flatten()(inputs)
    probabilities = keras.layers.Dense(2, activation="softmax")(keras.layers.Rescaling(0.01)(flat))
    return features.from_model(keras.Model(inputs, {"features": flat, "probabilities": probabilities}), "pixels")


def images(count, seed, top=256):
    return np.random.default_rng(seed).integers(0, top, (count, 3, 3, 1), np.uint8)


def batches(images, labels=None, size=32):
    for start in range(0, len(images), size):
        yield images[start : start + size], None if labels is None else labels[start : start + size]


def test_one_pass_matches_each_metric_alone(extractor, monkeypatch):
    monkeypatch.setattr(evaluate, "KEPT", 80)
    labels = np.arange(200) % 2
    real_images, fake_images = images(200, 0), images(100, 1, top=200)
    real = evaluate.gather(extractor, batches(real_images, labels))
    fake = evaluate.gather(extractor, batches(fake_images, labels[:100]))
    training_images, test_images = images(150, 2), images(90, 4)
    sets = {"training": evaluate.gather(extractor, batches(training_images))}
    sets["test"] = evaluate.gather(extractor, batches(test_images))
    names = [name for name, metric in evaluate.METRICS.items() if metric.inputs == "features"]
    results = evaluate.measure(names, real, fake, seed=3, **sets)
    arrays = (real_images, fake_images, training_images[:80], test_images)
    a, b, c, d = (x.reshape(len(x), 9).astype(np.float64) for x in arrays)
    kernel = metrics.kernel_distance(a[:80], b[:80], seed=3)
    precision, recall = metrics.precision_recall(a[:80], b[:80])
    density, coverage = metrics.density_coverage(a[:80], b[:80])
    score = metrics.inception_score(extractor(fake_images).probabilities)
    intra = np.mean([metrics.frechet_distance(a[labels == k], b[labels[:100] == k]) for k in (0, 1)])
    assert results == pytest.approx(
        {
            "fid": metrics.frechet_distance(a, b), "kid": kernel.mean, "kid_std": kernel.std, "kid_subset_size": 40,
            "precision": precision, "recall": recall, "density": density, "coverage": coverage, "inception_score": score.mean,
            "inception_score_std": score.std, "intra_fid": intra, "fid_test": metrics.frechet_distance(d, b),
            "authenticity": metrics.authenticity(c, b[:80]), "cmmd": metrics.cmmd(a[:80], b[:80]),
            "vendi": metrics.vendi_score(b[:80]), **metrics.feature_likelihood(c, d[:80], b[:80], seed=3)._asdict(),
        },
        rel=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize("block", [1, 40, 64])
def test_the_size_of_blocks_does_not_matter(extractor, monkeypatch, block):
    some, labels = images(100, 0), np.random.default_rng(1).integers(0, 3, 100)
    expected = evaluate.gather(extractor, batches(some, labels), kept=70)
    monkeypatch.setattr(evaluate, "BLOCK", block)
    actual = evaluate.gather(extractor, batches(some, labels), kept=70)
    np.testing.assert_array_equal(actual.features, some[:70].reshape(70, 9))
    np.testing.assert_array_equal(actual.probabilities, expected.probabilities)
    assert actual.label_counts == expected.label_counts == {k: np.sum(labels == k) for k in range(3)}
    for one, other in [(actual.moments, expected.moments), *((actual.by_class[k], expected.by_class[k]) for k in range(3))]:
        assert one.count == other.count
        np.testing.assert_allclose(one.mean, other.mean)
        np.testing.assert_allclose(one.covariance, other.covariance)
    unlabeled = evaluate.gather(lambda some: extractor(some)._replace(probabilities=None), batches(some))
    assert (unlabeled.probabilities, unlabeled.by_class, unlabeled.label_counts) == (None, {}, {})


def test_cached_statistics_are_identical_and_read_no_images(extractor, tmp_path):
    labels, calls = np.arange(60) % 3, []

    def real():
        calls.append(1)
        return batches(images(60, 0), labels)

    fake = evaluate.gather(extractor, batches(images(50, 1), labels[:50]))
    names = ["fid", "intra_fid", "precision_recall"]
    first, second = (evaluate.gather_cached(extractor, real, ("a", "b"), tmp_path) for _ in range(2))
    assert len(calls) == 1
    assert evaluate.measure(names, first, fake) == evaluate.measure(names, second, fake)
    assert second.moments.count == 60
    evaluate.gather_cached(extractor, real, ("a", "c"), tmp_path)
    assert len(calls) == 2


def test_too_few_images_are_reported(extractor, caplog):
    few = evaluate.gather(extractor, batches(images(9, 0)))
    with caplog.at_level(logging.WARNING):
        assert evaluate.measure(["fid"], few, few)["fid"] == pytest.approx(0, abs=1e-6)
    assert "9 images are too few for 9 features" in caplog.text


def test_classes_with_too_few_images_are_reported(extractor, caplog):
    labels = np.array([0] * 25 + [1] * 5)
    statistics = evaluate.gather(extractor, batches(images(30, 0), labels))
    evaluate.measure(["fid"], statistics, statistics)
    assert "too few" not in caplog.text
    evaluate.measure(["intra_fid"], statistics, statistics)
    assert "5 images of a class are too few for 9 features" in caplog.text


@pytest.mark.parametrize(("count", "side"), [(0, "generated"), (1, "generated"), (0, "real"), (1, "real")])
def test_classes_with_less_than_two_images_are_rejected(extractor, count, side):
    complete = evaluate.gather(extractor, batches(images(30, 0), np.arange(30) % 3))
    incomplete = evaluate.gather(extractor, batches(images(20 + count, 0), np.array([0, 1] * 10 + [2] * count)))
    real, fake = (complete, incomplete) if side == "generated" else (incomplete, complete)
    with pytest.raises(ganlib.UserError, match=f"2 images of each class, but class 2 has fewer {side} ones"):
        evaluate.measure(["intra_fid"], real, fake)


def test_identical_images_are_reported(extractor, caplog):
    real = evaluate.gather(extractor, batches(images(20, 0)))
    fake = evaluate.gather(extractor, batches(np.zeros((20, 3, 3, 1), np.uint8)))
    for names in (["fid"], ["fid", "precision_recall", "density_coverage", "cmmd", "vendi"]):
        caplog.clear()
        evaluate.measure(names, real, fake)
        messages = [record.getMessage() for record in caplog.records]
        assert sum("all 20 fake images have identical features" in message for message in messages) == 1


def test_invalid_input_is_rejected(extractor):
    real = evaluate.gather(extractor, batches(images(20, 0)))
    with pytest.raises(ganlib.UserError, match="unknown metric 'fidd'.*Did you mean 'fid'"):
        evaluate.measure(["fidd"], real, real)
    with pytest.raises(ganlib.UserError, match="intra_fid requires labeled data"):
        evaluate.measure(["intra_fid"], real, real)
    real.probabilities = None
    with pytest.raises(ganlib.UserError, match="omit 'is'"):
        evaluate.measure(["is"], real, real)
    with pytest.raises(ganlib.UserError, match="no images to evaluate"):
        evaluate.gather(extractor, [])
