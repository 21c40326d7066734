import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, losses, regularizers
from ganlib.networks import improved_conv, improved_mlp, mlp, pixel_cnn
from tests.helpers import SHAPE, adam, replicas, same, sgd, weights

AT_ONCE = {"low_density_from_step": 0, "low_density_probability": 1.0, "low_density_weight": 1.0}
"""Arguments with which every step has the loss of the density."""


def made(parts=("encoder", "density"), threshold=-1e4, optimizer=adam, generator=None, **arguments):
    """Returns a model with a threshold that every image exceeds, or another one."""
    keras.utils.set_random_seed(0)
    known = {
        "encoder": lambda: improved_mlp.Encoder(SHAPE, latent_dim=4, width=8),
        "density": lambda: pixel_cnn.PixelCNN(SHAPE, width=2, blocks=1, resolutions=1, mixtures=2),
    }
    generator = generator or improved_mlp.Generator(SHAPE, latent_dim=4, width=8, uniform_latents=True)
    model = ganlib.BadGAN(generator, mlp.Discriminator(SHAPE, width=8), 3, **{name: known[name]() for name in parts})
    optimizers = {name: optimizer() for name in ("generator_optimizer", "discriminator_optimizer", "encoder_optimizer")}
    model.compile(**optimizers, **{**AT_ONCE, **arguments})
    if "density" in parts:
        model.threshold.assign(threshold)
    return model


def batch(images, labels):
    return tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])


@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_losses_and_gradients_by_hand(images, labels, update):
    """With SGD, generator and encoder take a step along the gradient of the three terms."""
    model = made(optimizer=sgd, update=update, low_density_weight=0.01, encoder_weight=0.3, low_density_share=0.5)
    unlabeled = tf.cast(images[9:], tf.float32) / 127.5 - 1
    rng = model.random_stream()
    latents = rng.normal((len(unlabeled), 4))
    if update == "alternating":
        latents = rng.normal((len(unlabeled), 4))  # the second draw, after the classifier's
        model.classifier_step(
            tf.cast(images[:9], tf.float32) / 127.5 - 1, tf.constant(labels[:9]), unlabeled, model.random_stream()
        )
        model.classifier_step = lambda *_: {}
        rng = model.random_stream()
        rng.normal((len(unlabeled), 4))
        model.random_stream = lambda: rng
    before = weights(model.generator), weights(model.encoder)
    with tf.GradientTape(persistent=True) as tape:
        fake = model.generator(latents, training=True)
        real_mean, fake_mean = (tf.reduce_mean(model.network.features(x), axis=0) for x in (unlabeled, fake))
        means, log_stds = model.encoder(fake, training=True)
        uniform = improved_mlp.uniform(latents)
        encoder = tf.reduce_mean(tf.reduce_sum(log_stds + 0.5 * ((uniform - means) / tf.exp(log_stds)) ** 2, axis=1))
        count = -(-len(fake) // 2)
        density = tf.reduce_mean(model.density.log_likelihood(fake[:count]) + 1e4)
        loss = tf.reduce_mean((real_mean - fake_mean) ** 2) + 0.3 * encoder + 0.01 * density
    expected = [
        [
            v - 0.05 * g
            for v, g in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True)
        ]
        for network in (model.generator, model.encoder)
    ]
    for network, values in zip((model.generator, model.encoder), before, strict=True):
        network.set_weights(values)  # without the batch statistics of the pass above
    logs = model.train_step(batch(images, labels))
    assert float(logs["encoder_loss"]) == pytest.approx(0.3 * float(encoder), rel=1e-4)
    assert float(logs["low_density_loss"]) == pytest.approx(0.01 * float(density), rel=1e-4)
    for network, values in zip((model.generator, model.encoder), expected, strict=True):
        for variable, value in zip(network.trainable_variables, values, strict=True):
            np.testing.assert_allclose(variable, value, atol=2e-4)


def test_each_step_changes_its_networks_and_never_the_density_model(images, labels):
    model = made()
    labeled, labels, unlabeled = batch(images, labels)
    labeled, unlabeled = (tf.cast(x, tf.float32) / 127.5 - 1 for x in (labeled, unlabeled))
    networks = {name: getattr(model, name) for name in ("network", "generator", "encoder", "density")}
    for step, updated in (
        (lambda: model.classifier_step(labeled, labels, unlabeled, model.random_stream()), {"network"}),
        (lambda: model.generator_step(unlabeled, model.random_stream()), {"generator", "encoder"}),
    ):
        before = {name: [np.array(v) for v in network.trainable_variables] for name, network in networks.items()}
        step()
        for name, network in networks.items():
            changed = [not np.array_equal(a, b) for a, b in zip(before[name], network.trainable_variables, strict=True)]
            assert all(changed) if name in updated else not any(changed), name


def test_the_loss_of_the_density_by_finite_differences(float64):
    """The gradient of a generated image, through the density model, is that of its log-density above the threshold."""
    model = made(["density"], threshold=-500.0)
    fake = tf.constant(np.random.default_rng(0).uniform(-0.9, 0.9, (6, *SHAPE)), tf.float64)
    log_densities = model.density.log_likelihood(fake).numpy()
    threshold = np.mean(np.sort(log_densities)[2:4])
    model.threshold.assign(threshold)
    model.low_density_share = 1.0

    def value(images):
        return float(model._low_density_loss(tf.cast(images, tf.float64), model.random_stream()))

    with tf.GradientTape() as tape:
        tape.watch(fake)
        loss = model._low_density_loss(fake, model.random_stream())
    gradient = tape.gradient(loss, fake).numpy()
    above = log_densities > threshold
    assert above.sum() == 3
    assert float(loss) == pytest.approx(np.mean(log_densities[above] - threshold), rel=1e-5)
    assert np.abs(gradient[~above]).max() == 0.0
    for index in zip(*np.unravel_index(np.argsort(np.abs(gradient), axis=None)[-3:], gradient.shape), strict=True):
        step = np.zeros(fake.shape)  # along the three largest slopes
        step[index] = 1e-3
        assert gradient[index] == pytest.approx((value(fake + step) - value(fake - step)) / 2e-3, rel=1e-2)


def test_the_loss_of_the_density_begins_at_its_step_and_is_drawn_with_its_probability(images, labels):
    def values(steps=1, threshold=-1e4, **arguments):
        model, found = made(["density"], threshold, **arguments), []
        model.density.log_likelihood = lambda images: tf.zeros(len(images))
        for _ in range(steps):
            found.append(float(model._low_density_loss(tf.zeros((4, *SHAPE)), model.random_stream())))
            model.step.assign_add(1)
        return np.array(found)

    assert np.array_equal(values(5, low_density_from_step=3) > 0, [False, False, False, True, True])
    assert values(3, threshold=1e4).max() == 0.0
    drawn = values(200, low_density_probability=0.1) > 0
    assert 8 <= drawn.sum() <= 34  # 20 are expected; 4 standard deviations below, 3 above
    assert not np.array_equal(drawn, values(200, low_density_probability=0.1, seed=1) > 0)


def test_defaults_are_those_of_the_authors_code():
    model = ganlib.BadGAN(mlp.Generator(SHAPE, 4, 8), mlp.Discriminator(SHAPE, 8), 3, improved_mlp.Encoder(SHAPE, 4, 8))
    model.compile()
    config = model.get_compile_config()
    assert (config["encoder_weight"], config["low_density_weight"], config["low_density_probability"]) == (1e-2, 1e-4, 0.1)
    assert config["low_density_from_step"] == 9001  # `iter > 9000`, where iter counts from 0


def test_threshold_is_a_quantile_of_log_densities(images):
    model = made(["density"])
    log_densities = np.sort(model.density.log_likelihood(images / np.float32(127.5) - 1))
    for quantile in (0.0, 0.1, 0.5):
        model.set_threshold(images, quantile, batch_size=7)
        assert float(model.threshold) == pytest.approx(log_densities[int(quantile * len(images))], rel=1e-5)


def test_training_without_a_threshold_is_refused(images, labels):
    model = made(["density"])
    model.threshold.assign(np.finfo(np.float32).max)
    with pytest.raises(ganlib.UserError, match="call set_threshold with training images once the density model is trained"):
        model.train_on_batch(batch(images, labels))


def test_terms_add_to_those_of_the_semi_supervised_gan(images, labels):
    """A weight of 0 gives its training, for the other terms too; regularizers remain available."""
    terms = {"generator_regularizers": [regularizers.PullAway(0.5)], "regularizers": [regularizers.ConditionalEntropy(0.1)]}
    model = made(["density"], low_density_weight=0.0, **terms)
    keras.utils.set_random_seed(0)
    plain = ganlib.SemiSupervisedGAN(
        improved_mlp.Generator(SHAPE, latent_dim=4, width=8, uniform_latents=True), mlp.Discriminator(SHAPE, width=8), 3
    )
    plain.compile(adam(), adam(), **terms)
    plain.network.set_weights(model.network.get_weights())
    plain.generator.set_weights(model.generator.get_weights())
    for one in (model, plain):
        one.train_step(batch(images, labels))
    assert same(weights(model.network) + weights(model.generator), weights(plain.network) + weights(plain.generator))
    assert not same(weights(made(["density"], **terms).generator), weights(model.generator))


@pytest.mark.parametrize("parts", [["encoder"], ["density"]])
def test_saved_model_continues_bit_for_bit(tmp_path, images, labels, parts):
    model = made(parts)
    model.train_step(batch(images, labels))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    logs, others = (one.train_step(batch(images, labels)) for one in (model, loaded))
    assert {name: float(value) for name, value in logs.items()} == {name: float(value) for name, value in others.items()}
    assert float(logs[f"{'low_density' if parts == ['density'] else 'encoder'}_loss"]) != 0
    assert same(weights(model), weights(loaded))
    np.testing.assert_array_equal(model.classify(images), loaded.classify(images))


@pytest.mark.slow
def test_one_and_two_replicas_give_the_same_weights(float64):
    """Half of the images are above the threshold, not equally many on both replicas."""
    source = data.open("digits").of_classes(["0", "1", "2"])

    def trained(count):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            generator = mlp.Generator(SHAPE, latent_dim=4, width=8, normalization=None)
            terms = {"low_density_weight": 1e-3, "low_density_probability": 0.5, "low_density_share": 1.0}
            model = made(["density"], optimizer=sgd, generator=generator, **terms)
        fake = model.generator.predict(np.random.default_rng(0).normal(size=(64, 4)), verbose=0)
        model.set_threshold(fake, 0.5)
        model.fit(data.semi_supervised_batches(source.subset(range(50)), source, 16), steps_per_epoch=3, verbose=0)
        return weights(model.generator) + weights(model.network)

    for one, other in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_initialization_standardizes_the_last_layers():
    shape = (16, 16, 1)
    generator = improved_conv.Generator(shape, latent_dim=4, width=4, code="bad_gan")
    encoder = improved_conv.Encoder(shape, latent_dim=4, width=4)
    model = ganlib.BadGAN(generator, improved_conv.Discriminator(shape, width=4), 3, encoder)
    model.compile()
    model.initialize_generator(300)
    fake = generator(np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32), training=True)
    assert np.std(np.arctanh(fake)) == pytest.approx(0.1, rel=0.1)
    for values in encoder(fake, training=True):
        np.testing.assert_allclose(np.std(values, axis=0), 0.1, rtol=0.25)
    kernel = generator.body.layers[-2].gain
    np.testing.assert_array_equal(model.ema_generator.body.layers[-2].gain, kernel)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "a BadGAN has an encoder or a density model: pass one of them, or create a ganlib.SemiSupervisedGAN instead"),
        ({"encoder": ((8, 8, 1), 5)}, "the generator's latent_dim is 4, but the encoder's is 5: make them equal"),
        ({"encoder": ((4, 4, 1), 4)}, r"the generator's image_shape is \(8, 8, 1\), but the encoder's is \(4, 4, 1\)"),
        ({"density": (4, 4, 1)}, r"the generator's image_shape is \(8, 8, 1\), but the density's is \(4, 4, 1\)"),
    ],
)
def test_networks_that_do_not_fit_are_refused(parts, message):
    networks = {}
    if "encoder" in parts:
        networks["encoder"] = improved_mlp.Encoder(*parts["encoder"], width=4)
    if "density" in parts:
        networks["density"] = pixel_cnn.PixelCNN(parts["density"], width=2, blocks=1, resolutions=1, mixtures=1)
    with pytest.raises(ganlib.UserError, match=message):
        ganlib.BadGAN(mlp.Generator(SHAPE, 4, 8), mlp.Discriminator(SHAPE, 8), 3, **networks)


def test_arguments_out_of_range_are_refused():
    model = made(["encoder"])
    for arguments, message in (
        ({"low_density_probability": 1.5}, r"low_density_probability must be in \[0, 1\], got 1.5"),
        ({"low_density_share": 0.0}, r"low_density_share must be in \(0, 1\], got 0.0"),
        ({"low_density_from_step": -1}, "low_density_from_step must be at least 0, got -1"),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            model.compile(**arguments)
    with pytest.raises(ganlib.UserError, match="has no density model, and therefore no threshold"):
        model.set_threshold(np.zeros((4, *SHAPE), np.uint8))
    with pytest.raises(ganlib.UserError, match=r"the quantile must be in \[0, 1\), got 1"):
        made(["density"]).set_threshold(np.zeros((4, *SHAPE), np.uint8), quantile=1)


def test_loss_of_the_encoder_is_that_of_its_outputs():
    """`losses.encoder_loss` is tested against scipy: the model passes it the latents that the generator computes with."""
    model = made(["encoder"])
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_allclose(model.generator.prior(latents), improved_mlp.uniform(latents))
    assert mlp.Generator(SHAPE, 4, 8).prior(latents) is latents
    means, log_stds = model.encoder(model.generator(latents))
    assert np.isfinite(float(losses.encoder_loss(means, log_stds, model.generator.prior(latents))))
