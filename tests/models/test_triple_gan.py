import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, regularizers
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE, adam, replicas, same, weights


def make(**arguments):
    keras.utils.set_random_seed(0)
    model = ganlib.TripleGAN(
        mlp.Generator(SHAPE, latent_dim=4, width=8, num_classes=3, normalization=None),
        mlp.Discriminator(SHAPE, width=8, num_classes=3),
        Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 3),
    )
    model.compile(adam(), adam(), adam(), **arguments)
    return model


def batch(images, labels):
    return tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])


def test_each_step_updates_all_weights_of_one_network_and_none_of_the_others(images, labels):
    model = make()
    labeled, labels, unlabeled = batch(images, labels)
    labeled, unlabeled = (tf.cast(x, tf.float32) / 127.5 - 1 for x in (labeled, unlabeled))
    rng = model.random_stream()
    steps = {
        "discriminator": lambda: model.discriminator_step(labeled, labels, unlabeled, rng),
        "network": lambda: model.classifier_step(labeled, labels, unlabeled, rng),
        "generator": lambda: model.generator_step(unlabeled, rng),
    }
    for updated, step in steps.items():
        before = {name: weights(getattr(model, name)) for name in steps}
        step()
        for name in steps:
            after = [np.array(w) for w in getattr(model, name).get_weights()]
            changed = [not np.array_equal(a, b) for a, b in zip(before[name], after, strict=True)]
            trainable = len(getattr(model, name).trainable_variables)
            assert sum(changed) == (trainable if name == updated else 0), (updated, name)


def test_every_input_and_option_affects_training(images, labels):
    def trained(labels=labels, images=images, **arguments):
        model = make(**arguments)
        for _ in range(2):
            logs = model.train_step(batch(images, labels))
        assert all(np.isfinite(value) for value in logs.values())
        return weights(model.network)

    base = trained()
    assert same(base, trained())
    assert not same(base, trained(labels=(labels + 1) % 3))
    assert not same(base, trained(images=np.concatenate([images[:9], images[:15]])))
    terms = [regularizers.ConditionalEntropy(0.3), regularizers.Manifold(0.1), regularizers.Consistency(10.0)]
    options = {"adversarial_weight": 1.0, "generated_weight": 0.0, "augment": "translation", "regularizers": terms}
    options |= {"adversarial_loss": "saturating", "generated_from_step": 1, "pretraining_steps": 1}
    for name, value in options.items():
        assert not same(base, trained(**{name: value})), name


def test_pairs_of_the_classifier_teach_the_discriminator_unseen_pairs():
    """With labeled pairs alone, it learns ten pairs by heart and rejects other true ones."""
    digits = data.open("digits")
    images, labels = tf.cast(digits.images, tf.float32) / 127.5 - 1, tf.constant(digits.labels)
    labeled, unlabeled, unseen = np.arange(10), np.arange(10, 800), np.arange(800, 1200)

    def logits(fraction):
        keras.utils.set_random_seed(0)
        classifier = Classifier(mlp.Discriminator(SHAPE, width=32).body, SHAPE, 10)
        pair = mlp.Generator(SHAPE, 4, 8, num_classes=10), mlp.Discriminator(SHAPE, width=64, num_classes=10)
        model = ganlib.TripleGAN(*pair, classifier)
        model.compile(adam(), adam(), adam(1e-2), labeled_fraction=fraction)
        for _ in range(60):  # the classifier knows the classes, so that all of its pairs are right
            with tf.GradientTape() as tape:
                loss = ganlib.losses.cross_entropy(labels, classifier(images))
            model.classifier_optimizer.apply(tape.gradient(loss, classifier.trainable_variables))

        @tf.function
        def step(rows):
            pairs = tf.gather(images, labeled), tf.gather(labels, labeled)
            model.discriminator_step(*pairs, tf.gather(images, rows), model.random_stream())
            model.step.assign_add(1)

        for index in range(150):
            step(tf.constant(np.random.default_rng(index).choice(unlabeled, 100)))
        return [
            float(tf.reduce_mean(model.discriminator(tf.gather(images, k), tf.gather(labels, k)))) for k in (labeled, unseen)
        ]

    alone, together = logits(1.0), logits(0.1)
    assert alone[0] > 1 > 0 > alone[1]
    assert together[1] > alone[1] + 1


def test_other_losses_of_the_classifier_begin_when_they_should(images, labels):
    def trained(steps, **arguments):
        model = make(**arguments)
        for _ in range(steps):
            model.train_step(batch(images, labels))
        return weights(model.network)

    assert same(trained(1, pretraining_steps=1), trained(1, adversarial_weight=0.0, generated_weight=0.0))
    assert same(trained(1, generated_from_step=1), trained(1, generated_weight=0.0))
    assert not same(trained(2, generated_from_step=1), trained(2, generated_weight=0.0))
    assert not same(trained(2, pretraining_steps=1), trained(2, pretraining_steps=2))


def test_the_manifold_term_of_equal_latents_is_zero(images, labels):
    model = make(augment="translation,cutout", regularizers=[regularizers.Manifold(1.0, epsilon=0.0)])
    assert float(model.train_step(batch(images, labels))["manifold"]) == 0.0
    model = make(augment="translation,cutout", regularizers=[regularizers.Manifold(1.0, epsilon=1.0, image_step=0.0)])
    assert float(model.train_step(batch(images, labels))["manifold"]) == 0.0


def test_pretraining_changes_the_classifier_only_and_the_others_start_after_it(images, labels):
    model, fresh = make(pretraining_steps=2), make()
    optimizers = [keras.optimizers.AdamW(1e-3, weight_decay=0.1), keras.optimizers.AdamW(1e-3, weight_decay=0.1), adam()]
    model.compile(*optimizers, pretraining_steps=2)
    for _ in range(2):
        before = weights(model.network)
        logs = model.train_step(batch(images, labels))
        assert not same(before, weights(model.network))
        assert same(
            weights(model.generator) + weights(model.discriminator), weights(fresh.generator) + weights(fresh.discriminator)
        )
    assert int(model.generator_optimizer.iterations) == int(model.discriminator_optimizer.iterations) == 0
    assert float(logs["labeled_loss"]) > 0
    model.train_step(batch(images, labels))
    assert not same(weights(model.generator), weights(fresh.generator))
    assert int(model.generator_optimizer.iterations) == int(model.discriminator_optimizer.iterations) == 1
    assert int(model.classifier_optimizer.iterations) == 3


@pytest.mark.slow
def test_pretraining_and_what_follows_are_the_same_on_two_replicas(float64):
    source = data.open("digits").of_classes(["0", "1", "2"])

    def trained(count):
        with replicas(count).scope():
            model = make(pretraining_steps=2, generated_from_step=3)
        dataset = data.semi_supervised_batches(source.subset(range(50)), source, 16)
        model.fit(dataset, steps_per_epoch=4, verbose=0)
        assert int(keras.ops.convert_to_numpy(model.generator_optimizer.iterations)) == 2
        return weights(model)

    for one, other in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_file_of_an_earlier_version_keeps_its_losses():
    model = make(labeled_fraction=1.0, adversarial_loss="saturating")
    config = model.get_compile_config()
    del config["labeled_fraction"], config["adversarial_loss"]
    loaded = make()
    loaded.compile_from_config(config)
    assert loaded.get_compile_config()["labeled_fraction"] == 1.0
    assert loaded.get_compile_config()["adversarial_loss"] == "saturating"


def test_saved_model_continues_bit_for_bit(tmp_path, images, labels):
    model = make(augment="translation", regularizers=[regularizers.ConditionalEntropy(0.3)])
    model.train_step(batch(images, labels))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    model.train_step(batch(images, labels))
    loaded.train_step(batch(images, labels))
    assert same(weights(model), weights(loaded))
    np.testing.assert_array_equal(model.classify(images), loaded.classify(images))
    np.testing.assert_array_equal(model.generate(4), loaded.generate(4))


def test_networks_with_different_classes_raise():
    generator, discriminator = mlp.Generator(SHAPE, 4, num_classes=3), mlp.Discriminator(SHAPE, num_classes=3)
    with pytest.raises(ganlib.UserError, match="the generator has 3 classes, but the classifier has 4"):
        ganlib.TripleGAN(generator, discriminator, Classifier(mlp.Discriminator(SHAPE).body, SHAPE, 4))
