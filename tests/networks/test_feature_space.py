import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

import ganlib
from ganlib.networks import Classifier, feature_space
from ganlib.networks.base import rescale
from tests.helpers import same

SHAPE = (32, 48, 1)
IMAGES = np.random.default_rng(0).integers(0, 256, (12, *SHAPE), np.uint8)


def discriminator(**arguments):
    return feature_space.Discriminator(SHAPE, **{"weights": None, "backbone_size": 32, "widths": (8, 6)} | arguments)


@pytest.fixture
def encoder():
    encoder = discriminator(components=5).backbone
    encoder.adapt(np.asarray(encoder.pooled(rescale(IMAGES))))
    return encoder


def test_features_are_the_principal_components_of_standardized_features(encoder):
    pooled = np.asarray(encoder.pooled(rescale(IMAGES)), np.float64)
    varying = pooled.std(axis=0) > 1e-5 * np.abs(pooled.mean(axis=0))
    standardized = (pooled - pooled.mean(axis=0))[:, varying] / pooled.std(axis=0)[varying]
    expected = PCA(5).fit_transform(standardized)
    expected /= np.sqrt(expected.var(axis=0, ddof=1).mean())
    features = 2.5 * np.arctanh(np.asarray(encoder(rescale(IMAGES)), np.float64))
    np.testing.assert_allclose(np.abs(features), np.abs(expected), atol=2e-3)


def test_means_and_maxima_of_five_stages_are_pooled(encoder):
    """Table 1 of Tan & Le 2019 for B0, which Lite0 shares: 40, 80, 112, 192 and 320 channels."""
    assert encoder.pooled(rescale(IMAGES)).shape == (12, 2 * (40 + 80 + 112 + 192 + 320))


def test_there_may_be_more_components_than_images():
    encoder = discriminator(components=30).backbone
    encoder.adapt(np.asarray(encoder.pooled(rescale(IMAGES))))
    features = np.asarray(encoder(rescale(IMAGES)))
    assert np.isfinite(features).all()
    assert (features.std(axis=0) > 0).sum() == 11  # the others are 0
    with pytest.raises(ganlib.UserError, match="features of at least 2 training images are needed, got 1"):
        encoder.adapt(np.zeros((1, 1488)))


def test_features_that_do_not_vary_are_left_out():
    encoder = discriminator(components=3).backbone
    pooled = np.random.default_rng(0).normal(1, 1e-9, (10, 1488))  # constant up to rounding
    pooled[:, :2] = 1e-8 * np.random.default_rng(1).normal(size=(10, 2))  # small, but not constant
    encoder.adapt(pooled)
    assert (np.array(encoder.scale) > 0).sum() == 2
    assert np.isfinite(encoder.from_pooled(pooled)).all()
    with pytest.raises(ganlib.UserError, match="the same features for all 10 training images"):
        encoder.adapt(np.ones((10, 1488)))


def test_without_components_the_features_are_standardized():
    encoder = discriminator(components=None).backbone
    encoder.adapt(np.asarray(encoder.pooled(rescale(IMAGES))))
    features = np.asarray(encoder(rescale(IMAGES)))
    assert features.shape == (12, 1488)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-3)
    deviation = features.std(axis=0)
    assert ((np.abs(deviation - 1) < 1e-2) | (deviation == 0)).all()


def test_a_classifier_takes_images_or_their_features():
    body = discriminator(components=5).body
    classifier = Classifier(body, SHAPE, 2)
    features = body.encoder(rescale(IMAGES))
    np.testing.assert_allclose(classifier(IMAGES), classifier(features), atol=1e-5)
    assert body.training_shape == (5,)
    with pytest.raises(ganlib.UserError, match="the encoder has 5 features, got 4"):
        classifier(features[:, :4])


def test_the_backbone_is_frozen_unless_a_stage_is_named():
    body = discriminator().body
    body.trainable = True
    assert not body.encoder.trainable_variables
    assert len(body.trainable_variables) == 4  # a direction and a bias of each of two layers
    tuned = discriminator(trainable_from="stage7").body
    tuned.trainable = True
    assert tuned.training_shape == SHAPE
    assert tuned.encoder.trainable_variables
    assert len(tuned.encoder.trainable_variables) < len(tuned.encoder.weights) / 5


def sgan(**arguments):
    generator = feature_space.Generator(SHAPE, latent_dim=4, width=8, components=5)
    model = ganlib.SemiSupervisedGAN(generator, discriminator(components=5), 2, **arguments)
    model.compile()
    return model


@pytest.mark.slow
def test_a_semi_supervised_gan_trains_on_features_and_classifies_images(tmp_path):
    keras.utils.set_random_seed(0)
    model = sgan(shifts_priors=True)
    features = np.asarray(model.network.body.encoder(rescale(IMAGES)))
    before = [np.array(weight) for weight in model.network.body.encoder.weights]
    head = np.array(model.network.head.layers[1].weights[0])
    for _ in range(3):
        logs = model.train_step((features, np.arange(12) % 2, features))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert same(before, model.network.body.encoder.weights)
    assert not np.array_equal(head, model.network.head.layers[1].weights[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.classify(IMAGES), model.classify(IMAGES), atol=1e-5)


def test_features_are_not_images():
    with pytest.raises(ganlib.UserError, match="makes features"):
        sgan().generate(2)
    with pytest.raises(ganlib.UserError, match=r"must have the shape \(n, 5\)"):
        sgan().fit(IMAGES, np.zeros(12, np.int64))
