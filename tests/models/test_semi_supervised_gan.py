import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, losses, regularizers
from ganlib.networks import dcgan, improved_mlp, mlp, stylegan2
from tests.helpers import SHAPE, adam, replicas, same, slow_beyond, weights


def make(**arguments):
    generator = mlp.Generator(SHAPE, latent_dim=4, width=8, normalization=None)
    sgan = ganlib.SemiSupervisedGAN(generator, mlp.Discriminator(SHAPE, width=8), num_classes=3)
    sgan.compile(adam(), adam(), **arguments)
    return sgan


def batch(images, labels):
    return tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])


def test_each_step_updates_all_weights_of_one_network_and_none_of_the_other(images, labels):
    sgan = make()
    labeled, labels, unlabeled = batch(images, labels)
    rescaled = [tf.cast(x, tf.float32) / 127.5 - 1 for x in (labeled, unlabeled)]
    rng, head = sgan.random_stream(), weights(sgan.discriminator.head)
    network, generator = weights(sgan.network), weights(sgan.generator)
    sgan.classifier_step(rescaled[0], labels, rescaled[1], rng)
    changed = [not np.array_equal(a, b) for a, b in zip(network, weights(sgan.network), strict=True)]
    assert sum(changed) == len(sgan.network.trainable_variables) == len(changed) - 1  # the temperature is not trained
    assert same(generator, weights(sgan.generator))
    network = weights(sgan.network)
    sgan.generator_step(rescaled[1], rng)
    assert same(network, weights(sgan.network))
    assert all(not np.array_equal(a, b) for a, b in zip(generator, weights(sgan.generator), strict=True))
    assert same(head, weights(sgan.discriminator.head))


def test_labels_and_unlabeled_images_affect_training(images, labels):
    def trained(labels, unlabeled, **arguments):
        keras.utils.set_random_seed(0)
        sgan = make(**arguments)
        sgan.train_step((tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(unlabeled)))
        return weights(sgan.network)

    base = trained(labels, images[9:])
    assert same(base, trained(labels, images[9:]))
    assert not same(base, trained((labels + 1) % 3, images[9:]))
    assert not same(base, trained(labels, images[:15]))
    assert not same(base, trained(labels, images[9:], unlabeled_weight=0.0))
    assert not same(base, trained(labels, images[9:], augment="translation"))
    assert not same(base, trained(labels, images[9:], class_weights=[1, 2, 3]))


def test_the_generator_is_updated_with_other_unlabeled_images(images, labels):
    def trained(*unlabeled, **arguments):
        keras.utils.set_random_seed(0)
        sgan = make(**arguments)
        parts = tf.constant(images[:9]), tf.constant(labels[:9]), *map(tf.constant, unlabeled)
        sgan.fit(tf.data.Dataset.from_tensors(parts), verbose=0)
        return weights(sgan.network), weights(sgan.generator)

    first, second = images[9:13], images[13:17]
    fresh, same_images, usual = (
        trained(first, second, fresh_real_images=True),
        trained(first, first, fresh_real_images=True),
        trained(first),
    )
    assert same(fresh[0], usual[0])
    assert not same(fresh[1], usual[1])
    assert same(same_images[1], usual[1])
    with pytest.raises(
        ganlib.UserError, match=r"batches of \(labeled images, labels, unlabeled images, other unlabeled images\)"
    ):
        trained(first, fresh_real_images=True)
    with pytest.raises(ganlib.UserError, match="got 4 parts"):
        trained(first, second)
    with pytest.raises(ganlib.UserError, match="update='simultaneous' needs fresh_real_images=False, got True"):
        make(update="simultaneous", fresh_real_images=True)


def test_simultaneous_update_matches_gradients_of_the_two_losses(images, labels):
    """With SGD, one pass updates both networks as separate gradients over the same images do."""
    sgan = make()
    sgan.compile(
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.1),
        update="simultaneous",
        regularizers=[regularizers.ConditionalEntropy(0.5)],
        generator_regularizers=[regularizers.PullAway(0.5)],
    )
    labeled, labels, unlabeled = batch(images, labels)
    real = tf.cast(unlabeled, tf.float32) / 127.5 - 1
    latents = sgan.random_stream().normal((len(real), 4))
    with tf.GradientTape(persistent=True) as tape:
        fake_features = sgan.network.features(sgan.generator(latents))
        real_logits, fake_logits = sgan.network(real), sgan.network.class_logits(fake_features)
        logits = sgan.network(labeled)
        loss = ganlib.models.supervised.cross_entropy(labels, logits) + losses.unlabeled_losses(
            tf.reduce_logsumexp(real_logits, axis=1), tf.reduce_logsumexp(fake_logits, axis=1)
        )
        log_p = tf.nn.log_softmax(real_logits)
        loss -= 0.5 * tf.reduce_mean(tf.reduce_sum(tf.exp(log_p) * log_p, axis=1))
        means = tf.reduce_mean(sgan.network.features(real), axis=0), tf.reduce_mean(fake_features, axis=0)
        generator_loss = tf.reduce_mean(tf.square(means[0] - means[1])) + regularizers.PullAway(0.5)(fake_features)
    expected = []
    for value, network in ((loss, sgan.network), (generator_loss, sgan.generator)):
        gradients = tape.gradient(value, network.trainable_variables)
        expected += [v - 0.1 * g for v, g in zip(network.trainable_variables, gradients, strict=True)]
    sgan.train_step((labeled, labels, unlabeled))
    variables = sgan.network.trainable_variables + sgan.generator.trainable_variables
    for value, variable in zip(expected, variables, strict=True):
        np.testing.assert_allclose(value, variable, atol=1e-5)


@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_every_option_affects_training(images, labels, update):
    def trained(**arguments):
        keras.utils.set_random_seed(0)
        sgan = make(update=update, **arguments)
        logs = [sgan.train_step(batch(images, labels)) for _ in range(2)][-1]
        return weights(sgan.network), weights(sgan.generator), logs

    network, generator, _ = trained()
    assert same(network, trained()[0])
    for term in (
        regularizers.ConditionalEntropy(1.0),
        regularizers.Manifold(1.0),
        regularizers.Consistency(10.0),
        regularizers.MarginalEntropy(1.0),
    ):
        other, _, logs = trained(regularizers=[term])
        assert not same(network, other)
        assert float(logs[term.name]) > 0
    for arguments in ({"generator_regularizers": [regularizers.PullAway()]}, {"generator_loss": "feature_matching_l1"}):
        assert not same(generator, trained(**arguments)[1])


@pytest.mark.parametrize("update", slow_beyond(["alternating", "simultaneous"], 1))
def test_the_manifold_term_of_equal_latents_is_zero(images, labels, update):
    """Both images have the same noise, augmentation and dropout masks."""

    def trained(*terms):
        keras.utils.set_random_seed(0)
        discriminator = improved_mlp.Discriminator(SHAPE, width=16)  # with Gaussian noise
        sgan = ganlib.SemiSupervisedGAN(stylegan2.Generator(SHAPE, 4, 8), discriminator, num_classes=3)
        sgan.compile(adam(), adam(), augment="translation,cutout", regularizers=terms, update=update)
        return sgan.train_step(batch(images, labels)), weights(sgan.network)

    logs, network = trained()
    logs_with_term, network_with_term = trained(regularizers.Manifold(1.0, epsilon=0.0))
    assert float(logs_with_term.pop("manifold")) == 0.0
    assert all(logs_with_term[name] == logs[name] for name in logs if name != "generator_loss")  # its latents are drawn later
    for one, other in zip(network, network_with_term, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    small, large = (float(trained(regularizers.Manifold(1.0, epsilon=step))[0]["manifold"]) for step in (0.01, 0.02))
    assert small > 0
    assert large == pytest.approx(4 * small, rel=0.2)  # the square of the distance, and no noise


@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_labeled_augment_applies_only_to_labeled_images(images, labels, update):
    def blank(images, rng):
        return 0.0 * images

    def trained(labeled, unlabeled, **arguments):
        keras.utils.set_random_seed(0)
        sgan = make(update=update, **arguments)
        sgan.train_step((tf.constant(labeled), tf.constant(labels[:9]), tf.constant(unlabeled)))
        return weights(sgan.network)

    base = trained(images[:9], images[9:], labeled_augment=blank)
    assert same(base, trained(images[1:10], images[9:], labeled_augment=blank))
    assert not same(base, trained(images[:9], images[:15], labeled_augment=blank))
    base = trained(images[:9], images[9:], augment=blank)
    assert same(base, trained(images[1:10], images[:15], augment=blank))
    assert not same(base, trained(images[:9], images[9:], augment=blank, labeled_augment="translation"))


def test_unknown_names_raise():
    with pytest.raises(ganlib.UserError, match="unknown generator loss 'feature_machting'.*Did you mean 'feature_matching'"):
        make(generator_loss="feature_machting")
    with pytest.raises(ganlib.UserError, match="unknown update 'both'"):
        make(update="both")


def test_classifier_is_the_moving_average_of_the_network(images, labels):
    sgan = make(ema_decay=0.5)
    sgan.train_step(batch(images, labels))
    before = sgan.classify(images)
    assert before.shape == (24, 3)
    sgan.network.set_weights([w + 1 for w in sgan.network.get_weights()])
    np.testing.assert_array_equal(before, sgan.classify(images))


def test_saved_model_continues_bit_for_bit(tmp_path):
    source = data.open("digits")
    sgan = ganlib.SemiSupervisedGAN(
        dcgan.Generator(SHAPE, latent_dim=4, width=8), dcgan.Discriminator(SHAPE, width=8, dropout=0.3), num_classes=10
    )
    terms = {"regularizers": [regularizers.Manifold()], "generator_regularizers": [regularizers.PullAway(0.5)]}
    sgan.compile(adam(), adam(), augment="translation", labeled_augment="shift", update="simultaneous", **terms)

    def fit(model, start, steps):
        dataset = data.semi_supervised_batches(source.subset(range(50)), source, 16, start_step=start)
        model.fit(dataset, steps_per_epoch=steps, verbose=0)

    fit(sgan, 0, 3)
    sgan.save(tmp_path / "sgan.keras")
    loaded = keras.saving.load_model(tmp_path / "sgan.keras")
    fit(sgan, 3, 3)
    fit(loaded, 3, 3)
    assert same(weights(sgan), weights(loaded))
    assert same(weights(sgan.classifier), weights(loaded.classifier))


ALL_OPTIONS = {
    "update": "simultaneous",
    "augment": "shift,flip",
    "labeled_augment": "paste,affine",
    "regularizers": [
        regularizers.ConditionalEntropy(0.1),
        regularizers.Manifold(0.1),
        regularizers.Consistency(1.0),
        regularizers.MarginalEntropy(1.0),
    ],
    "generator_regularizers": [regularizers.PullAway(1.0)],
}


@pytest.mark.parametrize("arguments", [{}, ALL_OPTIONS], ids=["feature-matching", "all-options"])
def test_one_and_two_replicas_give_the_same_weights(float64, images, labels, arguments):
    def trained(count):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            sgan = ganlib.SemiSupervisedGAN(
                mlp.Generator(SHAPE, latent_dim=4, width=8, normalization=None), mlp.Discriminator(SHAPE, width=8), 3
            )
            sgan.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), **arguments)
        dataset = tf.data.Dataset.from_tensors((images[:8], labels[:8], images[8:16])).unbatch().batch(8).repeat()
        sgan.fit(dataset, steps_per_epoch=5, verbose=0)
        return weights(sgan)

    for a, b in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
