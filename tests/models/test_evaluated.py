import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.metrics import in_domain
from ganlib.networks import mlp
from tests.helpers import SHAPE, adam, mlp_gan, replicas

SOURCE = data.open("digits")
IMAGES, LABELS = SOURCE.images[:300], SOURCE.labels[:300]
KID = {"metrics": ["kid"], "metric_samples": 200}


@pytest.fixture(autouse=True)
def quick_features(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(in_domain, "MIN_STEPS", 20)


def semi_supervised(**arguments):
    model = ganlib.SemiSupervisedGAN(mlp.Generator(SHAPE, 4, width=16), mlp.Discriminator(SHAPE, width=16), num_classes=10)
    model.compile(adam(), adam(), **arguments)
    return model


def triple(**arguments):
    networks = mlp.Generator(SHAPE, 4, width=16, num_classes=10), mlp.Discriminator(SHAPE, width=16, num_classes=10)
    model = ganlib.TripleGAN(*networks, ganlib.Classifier(mlp.Discriminator(SHAPE, width=16).body, SHAPE, 10))
    model.compile(**arguments)
    return model


def classifier(kind=ganlib.SupervisedClassifier):
    model = kind(ganlib.Classifier(mlp.Discriminator(SHAPE, width=16).body, SHAPE, 10))
    model.compile()
    return model


def test_the_metrics_of_a_gan_are_those_of_an_evaluation():
    gan = mlp_gan(10, **KID)
    source = data.from_arrays("digits", IMAGES, LABELS, tuple(map(str, range(10))))
    expected = ganlib.evaluation.Evaluation(source, ["kid"], samples=200)(gan)["kid"]
    results = gan.evaluate(IMAGES, LABELS, return_dict=True)
    assert list(results) == ["kid"]
    np.testing.assert_allclose(results["kid"], expected, rtol=1e-4)
    floats = (IMAGES / 127.5 - 1.0).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((floats, LABELS)).batch(64)
    for given in ((floats, LABELS), (dataset,), (source,)):
        np.testing.assert_allclose(gan.evaluate(*given), results["kid"], rtol=1e-4)
    first = gan.evaluate(dataset, steps=2)
    assert first == gan.evaluate(floats[:128], LABELS[:128]) != results["kid"]


def test_several_metrics_are_a_list_in_their_order():
    gan = mlp_gan(metrics=["kid", "precision_recall"], metric_samples=200)
    results = gan.evaluate(IMAGES, LABELS, return_dict=True)
    assert list(results) == ["kid", "precision", "recall"]
    assert gan.evaluate(IMAGES, LABELS) == list(results.values())


@pytest.mark.parametrize("arguments", [{"validation_data": (IMAGES, LABELS)}, {"validation_split": 0.5}])
def test_validation_is_logged_under_the_names_that_callbacks_monitor(arguments, tmp_path):
    gan = mlp_gan(10, **KID)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_kid", mode="min", save_best_only=True)
    stop = keras.callbacks.EarlyStopping(monitor="val_kid", mode="min", patience=0, baseline=-1.0)
    images, labels = SOURCE.images[:600], SOURCE.labels[:600]
    logs = gan.fit(images, labels, epochs=5, verbose=0, callbacks=[best, stop], **arguments).history
    assert len(logs["val_kid"]) == 2  # no value is below the baseline
    rest = (images[300:], labels[300:]) if "validation_split" in arguments else (IMAGES, LABELS)
    np.testing.assert_allclose(logs["val_kid"][-1], gan.evaluate(*rest), rtol=1e-5)
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(min(logs["val_kid"]), loaded.evaluate(*rest), rtol=1e-5)


def test_validation_frequency():
    logs = mlp_gan(10, **KID).fit(IMAGES, LABELS, epochs=4, validation_data=SOURCE, validation_freq=2, verbose=0).history
    assert (len(logs["val_kid"]), len(logs["generator_loss"])) == (2, 4)


@pytest.mark.parametrize("make", [semi_supervised, triple, classifier, lambda: classifier(ganlib.PseudoLabelClassifier)])
def test_a_classifier_gives_its_cross_entropy_and_accuracy(make):
    model = make()
    reference = keras.Sequential([keras.Input(SHAPE, dtype="uint8"), model.classifier])
    reference.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    loss, accuracy = reference.evaluate(IMAGES, LABELS, verbose=0)
    results = model.evaluate(IMAGES, LABELS, return_dict=True)
    np.testing.assert_allclose([results["loss"], results["accuracy"]], [loss, accuracy], rtol=1e-4)
    assert model.test_on_batch(IMAGES, LABELS, return_dict=True) == results
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), model.classifier(IMAGES), atol=1e-5)
    np.testing.assert_array_equal(model.predict_on_batch(IMAGES).shape, (300, 10))
    with pytest.raises(ganlib.UserError, match="images have values from 0 to 255"):
        model.predict(IMAGES.astype(np.float32))


def test_a_semi_supervised_gan_gives_both():
    model = semi_supervised(**KID)
    batches = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS, IMAGES)).batch(100)
    logs = model.fit(batches, validation_data=(IMAGES, LABELS), verbose=0).history
    assert {"val_loss", "val_accuracy", "val_kid"} <= set(logs)
    assert model.evaluate(IMAGES, LABELS) == [logs[f"val_{name}"][0] for name in ("loss", "accuracy", "kid")]


def test_predict_generates_with_the_averaged_generator():
    gan, latents = mlp_gan(3), np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    labels = np.array([0, 1, 2, 0, 1])
    np.testing.assert_array_equal(gan.predict((latents, labels)), gan.generate_from(latents, labels))
    np.testing.assert_array_equal(gan.predict_on_batch([latents, labels]), gan.generate_from(latents, labels))
    with pytest.raises(ganlib.UserError, match=r"predict takes latents of shape \(n, 4\), got a NoneType"):
        gan.predict(None)


def test_a_dataset_of_pixels_as_floats_is_refused_with_code_that_works_when_pasted():
    gan = mlp_gan(**KID)
    dataset = tf.data.Dataset.from_tensor_slices((IMAGES.astype(np.float32), LABELS)).batch(100)
    with pytest.raises(ganlib.UserError, match="images have values from 0 to 255") as error:
        gan.evaluate(dataset)
    converted = eval(str(error.value).split("such as ")[1].split(" for ")[0])
    np.testing.assert_allclose(gan.evaluate(converted), gan.evaluate(IMAGES, LABELS), rtol=1e-5)


def test_what_cannot_be_evaluated_is_one_line():
    for function, message in (
        (lambda: mlp_gan().evaluate(IMAGES, LABELS), "there are no metrics to compute: name them in compile"),
        (lambda: mlp_gan(**KID).evaluate(IMAGES), "need labels: pass .images, labels., or other features"),
        (lambda: mlp_gan(**KID).evaluate(IMAGES, LABELS, sample_weight=LABELS), "does not support sample_weight"),
        (lambda: mlp_gan(**KID).evaluate(IMAGES[:, :4], LABELS), "build the networks for images of"),
        (lambda: mlp_gan(**KID).test_on_batch(IMAGES), "need more images than a batch"),
        (lambda: mlp_gan(**KID).fit(IMAGES, validation_data=(IMAGES, LABELS, LABELS)), "got 3 parts"),
        (lambda: mlp_gan().fit(IMAGES, validation_data=(IMAGES, LABELS)), "there are no metrics to compute"),
        (lambda: mlp_gan(metrics=["cas"]).evaluate(IMAGES, LABELS), "cas requires"),
        (lambda: classifier().evaluate(IMAGES), "evaluated on images and labels"),
        (lambda: classifier().evaluate(data.open("digits").of_classes([0, 1])), "a classifier of 10 classes .* has 2 classes"),
    ):
        with pytest.raises(ganlib.UserError, match=f"^[^\n]*{message}[^\n]*$"):
            function()


@pytest.mark.parametrize("num_classes", [None, 3])
def test_an_exported_generator_serves_what_predict_returns(num_classes, tmp_path):
    gan, latents = mlp_gan(num_classes), np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    labels = [np.array([0, 1, 2, 0, 1])] if num_classes else []
    gan.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(loaded.serve(latents, *labels), gan.predict((latents, *labels)), atol=1e-6)


def test_an_exported_classifier_serves_what_predict_returns(tmp_path):
    model = semi_supervised()
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(loaded.serve(IMAGES[:5]), model.predict(IMAGES[:5], verbose=0), atol=1e-5)


@pytest.mark.slow
def test_two_replicas_evaluate_as_one():
    keras.utils.set_random_seed(0)
    expected = mlp_gan(10, **KID).evaluate(IMAGES, LABELS)
    keras.utils.set_random_seed(0)
    with replicas(2).scope():
        gan = mlp_gan(10, **KID)
    np.testing.assert_allclose(gan.evaluate(IMAGES, LABELS), expected, rtol=1e-3)
    history = gan.fit(IMAGES, LABELS, batch_size=100, validation_data=(IMAGES, LABELS), verbose=0).history
    np.testing.assert_allclose(history["val_kid"][0], gan.evaluate(IMAGES, LABELS), rtol=1e-4)
