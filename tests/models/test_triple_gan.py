import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import regularizers
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE, adam, same, weights


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
    for name, value in options.items():
        assert not same(base, trained(**{name: value})), name


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
