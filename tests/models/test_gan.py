import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, metrics, penalties
from ganlib.networks import dcgan, mlp, resnet
from ganlib.training.latents import latents_for
from tests.helpers import SHAPE, adam, dcgan_gan, mlp_gan, replicas, same, weights


def batches(images, labels=None, size=8):
    parts = images if labels is None else (images, labels)
    return tf.data.Dataset.from_tensor_slices(parts).batch(size).repeat()


@pytest.mark.parametrize("update", ["alternating", "reuse", "simultaneous"])
def test_train_step_matches_algorithm_1(images, update):
    """An independent implementation of the step with plain SGD gives the same weights."""
    gan = mlp_gan(optimizer=lambda: keras.optimizers.SGD(0.1), update=update, ema_decay=0.0, jit_compile=False)
    generator, discriminator = mlp_gan().generator, mlp_gan().discriminator
    generator.set_weights(gan.generator.get_weights())
    discriminator.set_weights(gan.discriminator.get_weights())
    real, rng = tf.cast(images[:8], tf.float32) / 127.5 - 1, gan.random_stream()

    def sgd(network, tape, loss):
        gradients = tape.gradient(loss, network.trainable_variables)
        return [(v, v - 0.1 * g) for v, g in zip(network.trainable_variables, gradients, strict=True)]

    def assign(pairs):
        for variable, value in pairs:
            variable.assign(value)

    with tf.GradientTape(persistent=True) as tape:
        fake = generator(rng.normal((8, 4)))
        loss = tf.reduce_mean(tf.math.softplus(-discriminator(real))) + tf.reduce_mean(tf.math.softplus(discriminator(fake)))
        generator_loss = tf.reduce_mean(tf.math.softplus(-discriminator(fake)))
    discriminator_update = sgd(discriminator, tape, loss)
    if update == "alternating":
        assign(discriminator_update)
        with tf.GradientTape() as tape:
            generator_loss = tf.reduce_mean(tf.math.softplus(-discriminator(generator(rng.normal((8, 4))))))
        assign(sgd(generator, tape, generator_loss))
    elif update == "reuse":
        assign(discriminator_update)
        with tf.GradientTape() as tape:
            same_latents = gan.random_stream().normal((8, 4))
            generator_loss = tf.reduce_mean(tf.math.softplus(-discriminator(generator(same_latents))))
        assign(sgd(generator, tape, generator_loss))
    else:
        generator_update = sgd(generator, tape, generator_loss)
        assign(discriminator_update)
        assign(generator_update)

    logs = gan.train_step(tf.constant(images[:8]))
    assert float(logs["discriminator_loss"]) == pytest.approx(float(loss), rel=1e-5)
    assert float(logs["generator_loss"]) == pytest.approx(float(generator_loss), rel=1e-5)
    pairs = (gan.generator, generator), (gan.discriminator, discriminator), (gan.ema_generator, generator)
    for network, expected in pairs:
        for a, b in zip(network.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert int(gan.step) == 1


def test_each_step_updates_all_weights_of_one_network_and_none_of_the_other(images):
    gan = mlp_gan()
    real, rng = tf.cast(images[:8], tf.float32) / 127.5 - 1, gan.random_stream()
    for step, updated, other in (
        (gan.discriminator_step, gan.discriminator, gan.generator),
        (gan.generator_step, gan.generator, gan.discriminator),
    ):
        updated_before, other_before = weights(updated), weights(other)
        step(real, None, rng)
        assert all(not np.array_equal(a, b) for a, b in zip(updated_before, weights(updated), strict=True))
        assert same(other_before, weights(other))


def test_discriminator_steps_split_the_batch(images):
    gan = mlp_gan(discriminator_steps=3)
    batches = []
    original = gan.discriminator_step
    gan.discriminator_step = lambda real, labels, rng: batches.append(real.numpy()) or original(real, labels, rng)
    gan.train_step(tf.constant(images[:24]))
    np.testing.assert_allclose(np.stack(batches, axis=1).reshape(images.shape), images / 127.5 - 1.0, atol=1e-6)
    assert [len(batch) for batch in batches] == [8, 8, 8]
    with pytest.raises(ganlib.UserError, match="batch of 8 images cannot be split into 3 equal parts"):
        gan.train_step(tf.constant(images[:8]))


@pytest.mark.parametrize("loss", ganlib.losses.LOSSES)
def test_every_loss_trains(images, loss):
    gan = mlp_gan(loss=loss, penalties=[penalties.R1(1.0, interval=2), penalties.R2(1.0)])
    before = weights(gan.generator)
    history = gan.fit(batches(images), steps_per_epoch=3, verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values())
    assert {"discriminator_loss", "generator_loss", "real_logits", "fake_logits", "r1", "r2"} == set(history)
    assert not same(before, weights(gan.generator))


def test_penalties_and_augmentation_affect_training(images):
    def trained(**arguments):
        keras.utils.set_random_seed(0)
        gan = mlp_gan(**arguments)
        gan.fit(batches(images), steps_per_epoch=2, verbose=0)
        return weights(gan.discriminator)

    results = [trained(), trained(penalties=[penalties.WGANGP(10.0)]), trained(augment="translation"), trained(seed=1)]
    for i in range(4):
        for j in range(i):
            assert not same(results[i], results[j])
    assert same(results[0], trained())


def test_labels_affect_training(images, labels):
    def trained(labels):
        keras.utils.set_random_seed(0)
        gan = mlp_gan(num_classes=3)
        gan.fit(batches(images, labels), steps_per_epoch=2, verbose=0)
        return weights(gan)

    assert not same(trained(labels), trained(labels[::-1].copy()))
    with pytest.raises(ganlib.UserError, match="has 3 classes: train it on"):
        mlp_gan(num_classes=3).train_step(tf.constant(images))


def test_unconditional_gan_ignores_labels_in_the_data(images, labels):
    gan = mlp_gan()
    gan.fit(batches(images, labels), steps_per_epoch=1, verbose=0)
    assert int(gan.step) == 1


def test_generate_uses_only_the_moving_average(images):
    gan = mlp_gan(ema_decay=0.9)
    gan.fit(batches(images), steps_per_epoch=3, verbose=0)
    before = gan.generate(4)
    gan.generator.set_weights([w + 1 for w in gan.generator.get_weights()])
    np.testing.assert_array_equal(before, gan.generate(4))
    gan.ema_generator.set_weights([w + 1 for w in gan.ema_generator.get_weights()])
    assert not np.array_equal(before, gan.generate(4))


def test_generated_image_depends_only_on_seed_and_index():
    gan = mlp_gan(normalization="batch")
    images = gan.generate(10, seed=3)
    assert images.shape == (10, *SHAPE)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    np.testing.assert_allclose(gan.generate(4, seed=3, batch_size=3), images[:4], atol=1e-6)
    assert not np.array_equal(gan.generate(10, seed=4), images)
    assert gan.generate(0).shape == (0, *SHAPE)


def test_images_of_another_shape_are_not_broadcast():
    class Gray(mlp.Generator):
        def call(self, latents, labels=None, training=False):
            return super().call(latents, labels, training)[..., :1]

    gan = ganlib.GAN(Gray((8, 8, 3), latent_dim=4, width=16), mlp.Discriminator((8, 8, 3), width=16))
    with pytest.raises(ganlib.UserError, match=r"returns images of \(8, 8, 1\), but its image_shape is \(8, 8, 3\)"):
        gan.generate(2)


def test_generate_with_labels():
    gan = mlp_gan(num_classes=3)
    np.testing.assert_array_equal(gan.generate(6), gan.generate(6, labels=[0, 1, 2, 0, 1, 2]))
    np.testing.assert_array_equal(gan.generate(2, labels=1), gan.generate(2, labels=[1, 1]))
    assert not np.array_equal(gan.generate(2, labels=1), gan.generate(2, labels=2))
    with pytest.raises(ganlib.UserError, match="labels must be from 0 to 2, got 1 to 3"):
        gan.generate(2, labels=[1, 3])
    with pytest.raises(ganlib.UserError, match="unconditional: omit labels"):
        mlp_gan().generate(2, labels=1)


def test_truncation():
    latents = latents_for(1000, 8, seed=0, truncation=0.7)
    assert 0.69 < np.abs(latents).max() <= 0.7
    assert abs(latents.mean()) < 0.02
    np.testing.assert_allclose(latents_for(3, 8, seed=0, truncation=0.7), latents[:3], rtol=1e-6)
    assert abs(latents_for(1000, 8, seed=0).std() - 1) < 0.03
    with pytest.raises(ganlib.UserError, match="truncation must be positive, got 0"):
        latents_for(3, 8, seed=0, truncation=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "hing"}, "unknown loss 'hing'"),
        ({"update": "both"}, "unknown update 'both'"),
        ({"discriminator_steps": 0}, "must be at least 1, got 0"),
        ({"discriminator_steps": 2, "update": "simultaneous"}, "needs discriminator_steps=1, got 2"),
        ({"ema_decay": 1.0}, r"ema_decay must be in \[0, 1\), got 1.0"),
    ],
)
def test_bad_compile_arguments(arguments, message):
    with pytest.raises(ganlib.UserError, match=message):
        mlp_gan(**arguments)


def test_mismatched_networks_raise():
    with pytest.raises(ganlib.UserError, match=r"generator's image_shape is \(8, 8, 1\), but the discriminator's is \(9,"):
        ganlib.GAN(mlp.Generator(SHAPE, 4), mlp.Discriminator((9, 8, 1)))
    with pytest.raises(ganlib.UserError, match="generator's num_classes is 3, but the discriminator's is None"):
        ganlib.GAN(mlp.Generator(SHAPE, 4, num_classes=3), mlp.Discriminator(SHAPE))


def test_saved_gan_continues_bit_for_bit(tmp_path):
    source = data.open("digits")
    arguments = {"penalties": [penalties.R1(1.0, interval=2)], "augment": "translation,cutout", "ema_decay": 0.99}
    gan = dcgan_gan(**arguments)
    gan.fit(data.batches(source, 8), steps_per_epoch=3, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(gan.generate(4), loaded.generate(4))
    assert int(loaded.step) == 3
    for model in (gan, loaded):
        model.fit(data.batches(source, 8, start_step=3), steps_per_epoch=3, verbose=0)
    assert same(weights(gan), weights(loaded))
    for name in ("generator_optimizer", "discriminator_optimizer"):
        first, second = (getattr(model, name).variables for model in (gan, loaded))
        assert same([v.numpy() for v in first], [v.numpy() for v in second])


def test_frozen_layers_stay_frozen_after_saving_and_loading(tmp_path, images):
    gan = dcgan_gan(run_eagerly=True)
    gan.discriminator.body.layers[0].trainable = False
    gan.compile(adam(), adam(), run_eagerly=True)
    labels = np.arange(len(images)) % 10
    gan.fit(batches(images, labels), steps_per_epoch=2, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for each in (gan, loaded):
        each.fit(batches(images, labels), steps_per_epoch=2, verbose=0)
    assert len(loaded.discriminator.trainable_variables) == len(gan.discriminator.trainable_variables)
    assert same(weights(loaded), weights(gan))


@pytest.mark.parametrize("update", ["alternating", "reuse"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(images, policy, update):
    with ganlib.training.precision.policy(policy):
        gan = mlp_gan(normalization="batch", update=update)
    before = weights(gan.generator)
    history = gan.fit(batches(images), steps_per_epoch=4, verbose=0).history
    assert np.isfinite(history["discriminator_loss"]).all()
    assert not same(before, weights(gan.generator))
    assert isinstance(gan.generator_optimizer, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16")


def test_resnet_with_spectral_norm_trains_conditionally(images, labels):
    gan = ganlib.GAN(
        resnet.Generator(SHAPE, latent_dim=4, width=8, num_classes=3), resnet.Discriminator(SHAPE, width=8, num_classes=3)
    )
    gan.compile(adam(), adam(), loss="hinge", discriminator_steps=2)
    history = gan.fit(batches(images, labels), steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["generator_loss"]).all()


def test_learning_halves_the_frechet_distance():
    """After less than a minute of training, the samples of a small GAN on digits are much closer to the data in pixel space."""
    keras.utils.set_random_seed(0)
    source = data.open("digits")
    gan = ganlib.GAN(dcgan.Generator(SHAPE, 32, width=32), dcgan.Discriminator(SHAPE, width=32, normalization=None))
    gan.compile(adam(), adam(), penalties=[penalties.R1(1.0, interval=4)], ema_decay=0.99)
    real = (source.images / 127.5 - 1).reshape(len(source.images), -1)

    def distance():
        return metrics.frechet_distance(real, gan.generate(500, seed=1, batch_size=500).reshape(500, -1))

    before = distance()
    gan.fit(data.batches(source, 64, with_labels=False), steps_per_epoch=400, verbose=0)
    after = distance()
    assert after < before / 2, (before, after)


def recorded(gan, monkeypatch):
    """Records the calls of the parts of a train step: a list of (name, images, labels)."""
    calls = []
    for name in ("discriminator_step", "generator_step"):
        original = getattr(gan, name)

        def step(real, labels, rng, name=name, original=original):
            calls.append((name, np.array(real), None if labels is None else np.array(labels)))
            return original(real, labels, rng)

        monkeypatch.setattr(gan, name, step)
    return calls


def test_generator_first_updates_the_generator_before_the_discriminator(images, monkeypatch):
    gan = mlp_gan(update="generator_first", discriminator_steps=2)
    calls = recorded(gan, monkeypatch)
    gan.train_step(tf.constant(images[:8]))
    assert [name for name, *_ in calls] == ["generator_step", "discriminator_step", "discriminator_step"]


def test_reuse_makes_one_generator_pass_with_the_last_update_of_the_discriminator(images, monkeypatch):
    gan = mlp_gan(update="reuse", discriminator_steps=3, penalties=[penalties.R1(1.0)])
    calls, generated = recorded(gan, monkeypatch), []
    original = gan.generate_for_training
    monkeypatch.setattr(gan, "generate_for_training", lambda *inputs: (generated.append(inputs), original(*inputs))[1])
    before = weights(gan.generator)
    gan.train_step(tf.constant(images[:9]))
    assert [name for name, *_ in calls] == ["discriminator_step"] * 2
    assert len(generated) == 3
    assert int(gan.discriminator_optimizer.iterations) == 3
    assert int(gan.generator_optimizer.iterations) == 1
    assert all(not np.array_equal(a, b) for a, b in zip(before, weights(gan.generator), strict=True))


@pytest.mark.parametrize("separate", [False, True])
def test_reuse_equals_an_alternating_step_on_the_same_latents(images, separate, monkeypatch):
    """With batch normalization, dropout, an augmentation, labels and a penalty."""
    results = []
    for update in ("alternating", "reuse"):
        keras.utils.set_random_seed(0)
        gan = dcgan_gan(update=update, penalties=[penalties.R1(1.0, interval=1, separate=separate)], seed=1)
        latents = tf.random.stateless_normal((8, 4), (1, 2))
        monkeypatch.setattr(gan, "sample_latents", lambda real, rng, latents=latents: latents)
        logs = gan.train_on_batch(images[:8], np.arange(8) % 3, return_dict=True)
        # The batch statistics of the generator are updated once less.
        results.append((logs, [np.array(v) for network in gan.networks for v in network.trainable_variables]))
    (logs, trained), (other_logs, other_trained) = results
    assert other_logs == pytest.approx(logs, rel=1e-5)
    for a, b in zip(trained, other_trained, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_generator_batch_factor_gives_the_generator_several_parts_with_their_labels(images, labels, monkeypatch):
    gan = mlp_gan(num_classes=3, discriminator_steps=4, generator_batch_factor=2)
    calls = recorded(gan, monkeypatch)
    gan.train_step((tf.constant(images[:16]), tf.constant(labels[:16])))
    assert [len(real) for _, real, _ in calls] == [4, 4, 4, 4, 8]
    np.testing.assert_array_equal(calls[-1][2], labels[:16].reshape(4, 4)[:, 2:].reshape(-1))
    np.testing.assert_allclose(
        calls[-1][1], images[:16].reshape(4, 4, 8, 8, 1)[:, 2:].reshape(8, 8, 8, 1) / 127.5 - 1, atol=1e-6
    )


def test_fresh_real_images_are_not_those_of_the_discriminator(images, monkeypatch):
    gan = mlp_gan(loss="relativistic", fresh_real_images=True)
    assert gan.batch_parts == 2
    calls = recorded(gan, monkeypatch)
    gan.train_step(tf.constant(images[:16]))
    (_, first, _), (_, second, _) = calls
    np.testing.assert_allclose(first, images[0:16:2] / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(second, images[1:16:2] / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_a_separate_penalty_has_an_adam_step_of_its_own_when_it_is_due(count):
    """Adam counts one more update at every second step, and moves every weight by it, also those without a gradient."""
    with replicas(count).scope():
        keras.utils.set_random_seed(0)
        gan = mlp_gan(penalties=[penalties.R1(1.0, interval=2, separate=True)], seed=3)
    updates = []
    dataset = data.batches(data.open("digits"), 16, with_labels=False)
    for _ in range(4):
        gan.fit(dataset, steps_per_epoch=1, verbose=0)
        updates.append(int(gan.discriminator_optimizer.iterations.numpy()))
    assert updates == [2, 3, 5, 6]
    assert int(gan.generator_optimizer.iterations.numpy()) == 4


def test_a_separate_step_is_the_step_of_the_penalty_alone(images):
    gan = mlp_gan(optimizer=lambda: keras.optimizers.SGD(0.1), penalties=[penalties.R1(3.0, interval=2, separate=True)])
    plain = mlp_gan(optimizer=lambda: keras.optimizers.SGD(0.1))
    for network in ("generator", "discriminator"):
        getattr(plain, network).set_weights(getattr(gan, network).get_weights())
    logs = gan.train_on_batch(images[:8], return_dict=True)
    real, updates = tf.cast(images[:8], tf.float32) / 127.5 - 1, [(plain.discriminator, plain.discriminator_optimizer)]
    rng = plain.random_stream()
    plain.apply_gradients(updates, plain.compute_gradients(plain.discriminator_loss, updates, (real, None), rng)[0])
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(real)
            logits = plain.discriminator(real, training=True)
        penalty = 2 * 3.0 / 2 * tf.reduce_mean(tf.reduce_sum(tf.square(inner.gradient(logits, real)), axis=(1, 2, 3)))
    for v, g in zip(plain.discriminator.trainable_variables,
                    tape.gradient(penalty, plain.discriminator.trainable_variables), strict=True):  # fmt: skip
        v.assign_sub(0.1 * (0.0 if g is None else g))
    assert logs["r1"] == pytest.approx(float(penalty), rel=1e-4)
    for a, b in zip(gan.discriminator.get_weights(), plain.discriminator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"update": "simultaneous", "loss": "relativistic", "fresh_real_images": True}, "needs fresh_real_images=False"),
        ({"generator_batch_factor": 2}, "must be at most discriminator_steps=1"),
        (
            {"loss": "relativistic", "discriminator_steps": 2, "generator_batch_factor": 2},
            "set generator_batch_factor=1, got 2",
        ),
        ({"fresh_real_images": True}, "needs a loss that compares pairs"),
        ({"update": "reuse", "accumulation_steps": 2}, "set accumulation_steps=1, got 2"),
        ({"update": "reuse", "discriminator_steps": 2, "generator_batch_factor": 2}, "needs generator_batch_factor=1, got 2"),
        ({"update": "simultaneous", "penalties": [penalties.R1(1.0, separate=True)]}, "set separate=False"),
    ],
)
def test_updates_that_do_not_fit_each_other_are_refused(arguments, message):
    with pytest.raises(ganlib.UserError, match=message):
        mlp_gan(**arguments)
