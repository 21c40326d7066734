import functools
import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, evaluation, metrics, plots, versions
from ganlib.metrics import evaluate as evaluate_module
from ganlib.metrics import in_domain, likelihood
from ganlib.metrics.metric import Metric
from tests.helpers import mlp_gan, replicas


@pytest.fixture
def pixels():
    return keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()], name="pixels")


def test_fid_of_a_gan_in_pixel_space(pixels):
    source, gan = data.open("digits"), mlp_gan()
    result = evaluation.Evaluation(source, ["fid"], pixels, samples=300, seed=5)(gan)
    fake = plots.to_uint8(gan.generate(300, seed=5)).reshape(300, 64)
    assert result["fid"] == pytest.approx(metrics.frechet_distance(source.images.reshape(-1, 64), fake), rel=1e-5)


@pytest.mark.parametrize("samples", [100, 101])
def test_two_replicas_match_one_device(pixels, samples):
    results, images = [], []
    for count in (1, 2):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            gan = mlp_gan(num_classes=10)
        names = ["fid", "fid_test", "intra_fid", "precision_recall", "density_coverage", "kid", "authenticity", "swd", "vendi"]
        names += ["cmmd", "ppl"]
        test = data.open("digits", "test")
        evaluate = evaluation.Evaluation(data.open("digits"), names, pixels, samples=samples, test=test)
        results.append(evaluate(gan))
        images.append(gan.generate(samples))
    np.testing.assert_allclose(*images, atol=1e-6)
    assert results[0] == pytest.approx(results[1], rel=1e-4)


def test_the_averaged_generator_is_evaluated(pixels):
    gan = mlp_gan()
    evaluate = evaluation.Evaluation(data.open("digits"), ["fid"], pixels, samples=100)
    before = evaluate(gan)
    gan.generator.set_weights([w + 1 for w in gan.generator.get_weights()])
    assert evaluate(gan) == before
    gan.ema_generator.set_weights([w + 1 for w in gan.ema_generator.get_weights()])
    assert evaluate(gan) != before


def test_images_that_are_not_finite_are_rejected(pixels, caplog):
    gan = mlp_gan()
    gan.ema_generator.set_weights([np.full_like(w, np.nan) for w in gan.ema_generator.get_weights()])
    evaluate = evaluation.Evaluation(data.open("digits"), ["fid"], pixels, samples=100)
    with pytest.raises(ganlib.UserError, match="100 of 100 images are not finite: the network has diverged"):
        evaluate(gan)
    plots.sample_grid(gan)
    assert "64 of 64 images are not finite and drawn as a cross" in caplog.text


def test_real_batches_contain_each_image_once_with_its_label():
    source = data.open("digits")
    images, labels = zip(*evaluation.real_batches(source), strict=True)
    images, labels = np.concatenate(images), np.concatenate(labels)
    assert sorted(map(bytes, images)) == sorted(map(bytes, source.images))
    lookup = {bytes(image): label for image, label in zip(source.images, source.labels, strict=True)}
    assert [lookup[bytes(image)] for image in images] == labels.tolist()


def test_generated_labels_follow_the_real_frequencies():
    batches = list(evaluation.generated_batches(mlp_gan(num_classes=3), 1000, real_labels=np.array([0, 0, 0, 2])))
    labels = np.concatenate([labels for _, labels in batches])
    assert len(labels) == 1000
    assert abs(np.mean(labels == 0) - 0.75) < 0.05
    assert not np.any(labels == 1)


class Copying:
    """A generator that copies images with the requested labels from given ones."""

    def __init__(self, images, labels):
        self.images, self.labels, self.generator = images, labels, mlp_gan(num_classes=10).generator
        self.distribute_strategy = replicas(1)

    def generate_from(self, latents, labels, batch_size):
        rng = np.random.default_rng(abs(int(latents[0, 0] * 1e6)))
        chosen = [rng.choice(np.flatnonzero(self.labels == label)) for label in labels]
        return self.images[chosen] / np.float32(127.5) - 1


@pytest.mark.slow
def test_cas_of_generated_images(pixels, monkeypatch):
    """A generator that knows the data scores nearly as high as real data; one with meaningless labels scores chance."""
    source, test = data.open("digits"), data.open("digits", "test")
    monkeypatch.setattr(in_domain, "MIN_STEPS", 400)
    evaluate = evaluation.Evaluation(source, ["fid", "cas"], pixels, samples=1000, test=test)
    result = evaluate(Copying(source.images, source.labels))
    assert set(result) == {"fid", "cas", "cas_real", "cas_images"}
    assert result["cas_real"] > 0.9
    assert result["cas"] > 0.9
    shuffled = evaluate(Copying(np.random.default_rng(0).permutation(source.images), source.labels))
    assert shuffled["cas"] < 0.4
    assert shuffled["cas_real"] == result["cas_real"]


def test_cas_requires_labeled_images(pixels):
    source, test = data.open("digits"), data.open("digits", "test")
    unlabeled = data.from_arrays("mine", source.images)
    evaluate = evaluation.Evaluation(source, ["cas"], pixels, samples=100, test=test)
    with pytest.raises(ganlib.UserError, match="cas requires a conditional GAN"):
        evaluate(mlp_gan())
    with pytest.raises(ganlib.UserError, match="cas requires labeled images, which mine lacks"):
        evaluate.of_source(unlabeled)
    with pytest.raises(ganlib.UserError, match="cas requires labeled images, which mine lacks"):
        evaluation.Evaluation(unlabeled, ["cas"], pixels, test=test)
    with pytest.raises(ganlib.UserError, match="cas requires real test images"):
        evaluation.Evaluation(source, ["cas"], pixels)


def test_the_record_contains_everything_a_result_depends_on(pixels):
    source, test = data.open("digits"), data.open("digits", "test")
    evaluate = evaluation.Evaluation(source, ["fid"], pixels, samples=100, seed=3, test=test)
    record = evaluation.evaluation_record({"fid": 1.0}, evaluate, step=7)
    assert record == {
        "results": {"fid": 1.0}, "metrics": ["fid"], "samples": 100, "real": "digits/train", "real_images": 1297,
        "real_content": source.fingerprint, "features": "pixels", "features_version": evaluate.extractor.version,
        "seed": 3, "ganlib": ganlib.__version__, "tensorflow": tf.__version__, "keras": keras.__version__,
        "pairs": 10_000, "code": versions.of_code(), "test_content": test.fingerprint,
        "test_images": 500, "step": 7,
    }  # fmt: skip


def test_the_record_names_parameters_and_numbers_of_images(pixels):
    source, test = data.open("digits"), data.open("digits", "test")
    few = data.few_labels(source, 5).labeled
    names = ["fid", "kid", "precision_recall", "density_coverage", "authenticity", "fld", "vendi"]
    names += ["cmmd", "swd"]
    evaluate = evaluation.Evaluation(source, names, pixels, samples=900, test=test, training=few, pairs=1200)
    record = evaluation.evaluation_record({}, evaluate)
    equal, all_kept = {"real": 900, "generated": 900}, {"real": 1200, "generated": 900}
    assert (record["training_images"], record["training_content"]) == (50, few.fingerprint)
    assert record["parameters"] == {
        "kid": {"subsets": 100, "images": all_kept},
        "precision_recall": {"k": 3, "images": equal},
        "density_coverage": {"k": 5, "images": equal},
        "authenticity": {"images": {"training": 50, "generated": 900}},
        "fld": {"images": {"training": 50, "test": 500, "generated": 900}},
        "vendi": {"images": {"generated": 900}},
        "cmmd": {"sigma": 10.0, "images": equal},
        "swd": {"patches": 128, "projections": 512, "images": equal},
    }


def test_the_recorded_numbers_of_images_are_those_that_are_used(pixels, monkeypatch, tmp_path):
    """With more generated than real images, and more images than FLD uses."""
    source, test, used = data.open("digits"), data.open("digits", "test"), {}
    monkeypatch.setattr(likelihood, "MAX_IMAGES", 300)
    normalized = likelihood._normalized
    monkeypatch.setattr(likelihood, "_normalized", lambda *sets: used.update(fld=sets) or normalized(*sets))
    functions = {"precision_recall": "neighbor_radii", "density_coverage": "neighbor_radii", "cmmd": "directions"}
    for name, function in functions.items():
        module = importlib.import_module(f"ganlib.metrics.{name}")
        plain = getattr(module, function)
        note = functools.partial(lambda name, plain, *a: used.setdefault(name, []).append(a[0]) or plain(*a), name, plain)
        monkeypatch.setattr(module, function, note)
    names = ["precision_recall", "density_coverage", "cmmd", "fld"]
    evaluate = evaluation.Evaluation(source, names, pixels, samples=1500, test=test, cache_dir=tmp_path)
    evaluate(mlp_gan())
    parameters = evaluation.evaluation_record({}, evaluate)["parameters"]
    assert [len(features) for features in used["fld"]] == list(parameters["fld"]["images"].values()) == [300, 500, 300]
    for name in functions:
        assert {len(features) for features in used[name]} == set(parameters[name]["images"].values()) == {1297}


def test_the_number_of_pairs_limits_metrics_of_pairs(pixels):
    """Recall depends on the number of images; the FID uses all of them."""
    gan = mlp_gan()
    results = {
        pairs: evaluation.Evaluation(data.open("digits"), ["fid", "vendi"], pixels, samples=300, pairs=pairs)(gan)
        for pairs in (100, 300)
    }
    features = plots.to_uint8(gan.generate(300)).reshape(300, 64)
    assert results[100]["fid"] == results[300]["fid"]
    for pairs, result in results.items():
        assert result["vendi"] == pytest.approx(metrics.vendi_score(features[:pairs]), rel=1e-4)


def test_cas_compares_equal_numbers_of_images(pixels, monkeypatch):
    source, test, trained_on = data.open("digits"), data.open("digits", "test"), []
    few = data.from_arrays("few", source.images[:80], source.labels[:80], source.class_names)
    monkeypatch.setattr(
        metrics, "classification_accuracy_score", lambda images, *others: trained_on.append(images) or len(trained_on) / 10
    )
    evaluate = evaluation.Evaluation(few, ["cas"], pixels, samples=100, test=test)
    assert evaluate(mlp_gan(num_classes=10)) == {"cas": 0.1, "cas_real": 0.2, "cas_images": 80}
    assert [len(images) for images in trained_on] == [80, 80]
    assert sorted(map(bytes, trained_on[1])) == sorted(map(bytes, few.images))


def test_the_picture_shows_the_nearest_neighbors(pixels):
    source, gan = data.open("digits"), mlp_gan()
    extractor = metrics.features.get(pixels)
    grid = np.asarray(evaluation.nearest_neighbors(gan, source, extractor, rows=2, seed=3))
    generated = plots.to_uint8(gan.generate(2, seed=3))
    cells = []
    for image in generated:
        distances = np.linalg.norm(source.images.reshape(-1, 64).astype(np.float32) - image.reshape(64), axis=1)
        cells += [image, *source.images[np.argsort(distances)[:3]]]
    np.testing.assert_array_equal(grid, np.asarray(plots.image_grid(np.stack(cells), columns=4)))


def test_invalid_input_is_rejected(pixels):
    small, large = data.open("digits"), data.open("digits", image_size=16)
    with pytest.raises(ganlib.UserError, match="set the same image_size for both"):
        evaluation.Evaluation(small, ["fid"], pixels).of_source(large)
    with pytest.raises(ganlib.UserError, match="unknown metric 'fdi'"):
        evaluation.Evaluation(small, ["fdi"], pixels)
    with pytest.raises(ganlib.UserError, match="samples must be at least 2, got 1"):
        evaluation.Evaluation(small, ["fid"], pixels, samples=1)


def test_metrics_of_a_source_against_itself(pixels):
    source = data.open("digits")
    result = evaluation.Evaluation(source, ["fid", "precision_recall"], pixels).of_source(source)
    assert result == {"fid": pytest.approx(0, abs=1e-4), "precision": 1.0, "recall": 1.0}


def test_generated_images_form_a_source():
    gan = mlp_gan(num_classes=3)
    source = evaluation.generated_source(gan, 300, seed=4, class_names=("a", "b", "c"))
    assert (source.num_examples, source.image_shape, source.class_names) == (300, (8, 8, 1), ("a", "b", "c"))
    latents = ganlib.training.latents.latents_for(300, 4, 4)
    np.testing.assert_array_equal(source.images, plots.to_uint8(gan.generate_from(latents, source.labels)))
    assert np.bincount(source.labels).min() > 70
    with pytest.raises(ganlib.UserError, match="images for a classifier require labels"):
        evaluation.generated_source(mlp_gan(), 10)


def test_models_with_another_image_shape_are_rejected(pixels):
    source = data.from_arrays("color", np.zeros((9, 16, 16, 3), "uint8"))
    with pytest.raises(ganlib.UserError, match=r"images of \(16, 16, 3\), the GAN generates \(8, 8, 1\)"):
        evaluation.Evaluation(source, ["fid"], features=pixels, samples=9)(mlp_gan())
    with pytest.raises(ganlib.UserError, match="expected a ganlib.GAN, got a Sequential"):
        evaluation.Evaluation(source, ["fid"], features=pixels, samples=9)(pixels)
    with pytest.raises(ganlib.UserError, match="a list of names"):
        evaluation.Evaluation(source, "fid")


def test_a_metric_of_ones_own_gets_what_it_declares(pixels, monkeypatch, tmp_path):
    source, test = data.open("digits"), data.open("digits", "test")
    seen = {}

    def noting(name, result=1.0):
        return lambda *arguments: seen.update({name: arguments}) or {name: result}

    mine = {
        "generator": Metric({}, noting("generator"), inputs="generator", against=()),
        "images": Metric({}, noting("images"), inputs="images", against=("test",), max_images=40),
        "pairs": Metric({}, noting("pairs"), inputs="images", pairwise=True),
        "labeled": Metric({}, noting("labeled"), inputs="labeled_images", against=("test",), needs=("labels",)),
        "ten": Metric({}, noting("ten"), inputs="labeled_images", max_images=10),
        "by_class": Metric({}, noting("by_class"), needs=("labels", "moments_by_class")),
        "function": noting("function"),
    }
    for name, metric in mine.items():
        monkeypatch.setitem(evaluate_module.METRICS, name, metric)
    gan = mlp_gan(num_classes=10)
    evaluate = evaluation.Evaluation(source, list(mine), pixels, samples=200, seed=3, test=test, cache_dir=tmp_path, pairs=90)
    assert evaluate(gan) == dict.fromkeys(mine, 1.0)
    assert seen["generator"][0] is gan
    assert seen["generator"][2:4] == (200, 3)
    real, fake, seed = seen["images"]
    assert (len(real), len(fake), seed) == (40, 40, 3)
    assert {bytes(image) for image in real} <= {bytes(image) for image in test.images}
    labeled, images, labels, *_ = seen["labeled"]
    assert labeled is test
    assert (len(images), len(labels)) == (200, 200)
    assert len(seen["by_class"][0].by_class) == len(seen["by_class"][1].by_class) == 10
    assert seen["function"][0].moments.count == 1297
    assert [len(images) for images in seen["pairs"][:2]] == [90, 90]
    assert [len(array) for array in seen["ten"][1:3]] == [10, 10]
    parameters = evaluation.evaluation_record({}, evaluate)["parameters"]
    assert parameters["pairs"] == {"images": {"real": 90, "generated": 90}}
    assert parameters["images"] == {"images": {"test": 40, "generated": 40}}
