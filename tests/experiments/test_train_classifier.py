import json

import numpy as np
import pytest

import ganlib
from experiments import configs, train_classifier, train_gan
from experiments.configs import digits_dcgan
from ganlib import runs
from tests.helpers import same, weights


def small(method, *pairs):
    config = configs.load("digits_sgan", [f"method={method}", *pairs])
    config.update(smoke=True, validation_per_class=5, evaluate_every=1)
    return config


@pytest.mark.parametrize("method", ["supervised", "semi_supervised", "pseudo_labels", "triple_gan"])
def test_training_does_not_use_the_test_labels(tmp_path, monkeypatch, method):
    """Changed test labels change only the test results. Weights, validation curve and temperature stay the same."""
    open_data = runs.open_data

    def spy(config, split="train"):
        source = open_data(config, split)
        if split == "test" and poisoned:
            return ganlib.data.from_arrays("poisoned", source.images, (source.labels + 1) % 10, source.class_names)
        return source

    monkeypatch.setattr(runs, "open_data", spy)
    for poisoned in (False, True):
        train_classifier.train(small(method), tmp_path / str(poisoned))
    one, other = (ganlib.load(tmp_path / name) for name in ("False", "True"))
    assert same(weights(one), weights(other))
    results = [json.loads((tmp_path / name / "classification.json").read_text()) for name in ("False", "True")]
    assert results[0]["confusion_matrix"] != results[1]["confusion_matrix"]
    assert results[0]["temperature"] == results[1]["temperature"] != 1.0
    rows = [ganlib.training.callbacks.read_rows(tmp_path / name / "metrics.jsonl") for name in ("False", "True")]
    curves = [[row["validation_accuracy"] for row in part if "validation_accuracy" in row] for part in rows]
    assert curves[0] == curves[1] != []


def test_validation_images_are_not_trained_on(tmp_path, monkeypatch):
    recorded = {}
    few_labels = ganlib.data.few_labels

    def spy(*arguments, **keywords):
        recorded["parts"] = few_labels(*arguments, **keywords)
        return recorded["parts"]

    monkeypatch.setattr(ganlib.data, "few_labels", spy)
    train_classifier.train(small("semi_supervised"), tmp_path)
    parts = recorded["parts"]
    assert parts.validation.num_examples == 50
    assert not {bytes(i) for i in parts.validation.images} & {bytes(i) for i in parts.unlabeled.images}
    rows = ganlib.training.callbacks.read_rows(tmp_path / "metrics.jsonl")
    accuracies = [row["validation_accuracy"] for row in rows if "validation_accuracy" in row]
    model = ganlib.load(tmp_path)
    predictions = model.classify(parts.validation.images).argmax(1)
    assert accuracies[-1] == pytest.approx(np.mean(predictions == parts.validation.labels))


@pytest.mark.parametrize("frozen", [True, False])
def test_features_of_a_gan(tmp_path, frozen):
    """The features start as those of the GAN's discriminator, and stay so if they are frozen. The head is always trained."""
    gan_config = digits_dcgan.get_config()
    gan_config.update(smoke=True, validation_per_class=5)
    train_gan.train(gan_config, tmp_path / "gan")
    body = ganlib.load(tmp_path / "gan").discriminator.body
    config = small("supervised", f"features_from={tmp_path / 'gan'}")
    config.freeze_features = frozen
    train_classifier.train(config, tmp_path / "classifier")
    model = ganlib.load(tmp_path / "classifier")
    assert same(weights(body), weights(model.network.body)) == frozen
    assert len(model.network.trainable_variables) == (2 if frozen else 2 + len(body.trainable_variables))
    close = [np.abs(a - b).max() < 0.01 for a, b in zip(weights(body), weights(model.network.body), strict=True)]
    assert all(close)  # two steps from the GAN's weights
    head = model.network.head.kernel.numpy()
    model.fit(ganlib.data.batches(ganlib.data.open("digits"), 8), steps_per_epoch=1, verbose=0)
    assert not np.array_equal(head, model.network.head.kernel)
    assert same(weights(body), weights(model.network.body)) == frozen


@pytest.mark.slow
def test_gan_named_by_its_config_is_trained_first(tmp_path, monkeypatch):
    """It is trained on the images that the classifier may use: all images except held-out ones, or the labeled ones."""

    def load(name):
        assert name == "digits_dcgan"
        gan = digits_dcgan.get_config()
        gan.update(steps=2, generator={"width": 8}, discriminator={"width": 8})
        return gan

    config = small("supervised", "features_from=config:digits_dcgan", "generated_from=config:digits_dcgan")
    monkeypatch.setattr(train_classifier.configs, "load", load)
    config.update(smoke=False, steps=2, steps_per_execution=1, batch_size=8, labels_per_class=2, generated_images=50)
    for _ in range(2):  # the second time everything exists
        train_classifier.train(config, tmp_path)
    gans = [runs.open_run(tmp_path / name) for name in ("features_gan", "generated_gan")]
    assert [gan.facts["num_examples"] for gan in gans] == [1297 - 50, 20]  # 20 are fewer than a batch of 64
    assert [gan.config.conditional for gan in gans] == [False, True]
    with pytest.raises(ganlib.UserError, match="features_gan' was created with another config"):
        train_classifier.train(with_other_seed(config), tmp_path)
    with pytest.raises(
        ganlib.UserError, match="features_gan' is complete: it has 2 steps, trained with another config: seed 0 -> 1"
    ):
        train_classifier.train(with_other_seed(config), tmp_path, accept_new_config=True)
    bodies = ganlib.load(tmp_path / "features_gan").discriminator.body, ganlib.load(tmp_path).network.body
    assert all(np.abs(a - b).max() < 0.01 for a, b in zip(*map(weights, bodies), strict=True))


def with_other_seed(config):
    other = config.copy_and_resolve_references()
    other.seed = 1
    return other


def test_features_for_another_image_shape_are_refused(tmp_path):
    gan_config = digits_dcgan.get_config()
    gan_config.update(smoke=True, image_size=16, validation_per_class=5)
    train_gan.train(gan_config, tmp_path / "gan")
    config = small("supervised", f"features_from={tmp_path / 'gan'}")
    with pytest.raises(
        ganlib.UserError, match=r"images of shape \(16, 16, 1\), but this data has shape \(8, 8, 1\): set image"
    ):
        train_classifier.train(config, tmp_path / "classifier")


def test_validation_images_serve_as_test_images_without_a_test_set(tmp_path):
    config = small("supervised")
    config.test_split = ""
    train_classifier.train(config, tmp_path)
    result = json.loads((tmp_path / "classification.json").read_text())
    assert (result["tested_on"], result["test_images"]) == ("validation", 50)
    config.update(validation_per_class=0, evaluate_every=1000)
    with pytest.raises(ganlib.UserError, match="no images to test on"):
        train_classifier.train(config, tmp_path / "other")


@pytest.mark.parametrize(("names", "message"), [(("cat",), "has one class, 'cat'"), (("cat", "Unlabeled"), "would be a class")])
def test_a_single_class_and_a_folder_of_unlabeled_images_are_refused(names, message):
    labels = np.arange(6) % len(names)
    with pytest.raises(ganlib.UserError, match=message):
        train_classifier.check_classes(ganlib.data.from_arrays("mine", np.zeros((6, 8, 8, 1), np.uint8), labels, names))


@pytest.mark.slow
def test_generated_images_join_the_labeled_ones(tmp_path, monkeypatch):
    """Each batch holds equally many labeled and generated images, from a GAN trained on the same few labels."""
    gan_config = digits_dcgan.get_config()
    gan_config.update(smoke=True, labels_per_class=2, validation_per_class=5)
    train_gan.train(gan_config, tmp_path / "gan")
    assert json.loads((tmp_path / "gan/run.json").read_text())["num_examples"] == 20
    config = small("supervised")
    config.update(labels_per_class=2, generated_from=str(tmp_path / "gan"), generated_images=50)
    recorded, joined_batches = [], ganlib.data.joined_batches

    def spy(first, second):
        recorded.extend([first, second, joined_batches(first, second)])
        return recorded[-1]

    monkeypatch.setattr(ganlib.data, "joined_batches", spy)
    train_classifier.train(config, tmp_path / "classifier")
    labeled, generated, both = (next(iter(dataset)) for dataset in recorded)
    assert (len(labeled[1]), len(generated[1]), len(both[1])) == (8, 8, 16)
    images = {bytes(i) for i in ganlib.evaluation.generated_source(ganlib.load(tmp_path / "gan"), 50).images}
    assert all(bytes(i) in images for i in generated[0].numpy())


def test_class_weights_follow_from_the_labels_that_are_not_held_out(tmp_path):
    config = small("supervised")
    config.update(labels_per_class=None, validation_per_class=20, class_weights="balanced")
    train_classifier.train(config, tmp_path)
    counts = np.bincount(ganlib.data.open("digits").labels) - 20
    assert ganlib.runs.open_run(tmp_path).facts["label_counts"] == counts.tolist()
    weights = ganlib.load(tmp_path).get_compile_config()["class_weights"]
    np.testing.assert_allclose(weights, counts.sum() / (10 * counts))
