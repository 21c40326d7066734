import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, penalties
from ganlib.networks import dcgan, mlp, resnet
from ganlib.training import callbacks, checkpoint
from tests.helpers import SHAPE, VARIANTS, adam, dcgan_gan, mlp_gan, replicas, same, sgd, trained, weights


@pytest.mark.parametrize("arguments", VARIANTS.values(), ids=VARIANTS)
def test_one_and_two_replicas_give_the_same_weights_and_logs(float64, arguments):
    (one, one_logs), (two, two_logs) = trained(1, **arguments), trained(2, **arguments)
    for a, b in zip(weights(one), weights(two), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    for name, values in one_logs.items():
        np.testing.assert_allclose(values, two_logs[name], atol=1e-4)
    for variable in two.trainable_variables + two.ema_generator.variables:
        copies = [np.asarray(v) for v in variable.value.values]
        np.testing.assert_array_equal(*copies)
    assert int(two.step.numpy()) == 10


@pytest.mark.slow
def test_stateful_layers_train_on_two_replicas():
    with replicas(2).scope():
        gan = ganlib.GAN(
            resnet.Generator(SHAPE, latent_dim=4, width=8, num_classes=10, normalization="sync_batch"),
            resnet.Discriminator(SHAPE, width=8, num_classes=10),
        )
        gan.compile(adam(), adam(), loss="hinge", penalties=[penalties.R1(1.0, interval=2)])
        with_dropout = dcgan_gan(penalties=[penalties.R1(1.0, interval=2)])
    for model in (gan, with_dropout):
        history = model.fit(data.batches(data.open("digits"), 8), steps_per_epoch=3, verbose=0).history
        assert np.isfinite(list(history.values())).all()
        for variable in model.trainable_variables:
            np.testing.assert_array_equal(*[np.asarray(v) for v in variable.value.values])
        assert model.generate(3).shape == (3, *SHAPE)


def test_batch_statistics_are_equal_on_all_replicas():
    with replicas(2).scope():
        gan = dcgan_gan()
    gan.fit(data.batches(data.open("digits"), 8), steps_per_epoch=3, verbose=0)
    statistics = [v for v in gan.variables if v.name.startswith("moving_")]
    assert len(statistics) == 10  # means and variances of 2 layers of the generator, 2 of its average, 1 of the discriminator
    for variable in statistics:
        np.testing.assert_array_equal(*[np.asarray(v) for v in variable.value.values])
        assert np.std(variable.value) > 0


def test_synchronized_batch_norm_equals_one_replica():
    def trained(count):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            generator = mlp.Generator(SHAPE, latent_dim=4, width=8, normalization="sync_batch")
            gan = ganlib.GAN(generator, mlp.Discriminator(SHAPE, width=8))
            gan.compile(sgd(), sgd())
        gan.fit(data.batches(data.open("digits"), 16, with_labels=False), steps_per_epoch=5, verbose=0)
        return weights(gan)

    for a, b in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_steps_per_execution_changes_only_the_number_of_calls():
    source, results = data.open("digits"), []
    for steps_per_execution in (1, 3):
        keras.utils.set_random_seed(0)
        gan = mlp_gan(steps_per_execution=steps_per_execution)
        calls = []
        callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, calls=calls: calls.append(batch))
        gan.fit(data.batches(source, 8), steps_per_epoch=6, verbose=0, callbacks=[callback])
        results.append((weights(gan), len(calls)))
    (weights_of_one, calls_of_one), (weights_of_three, calls_of_three) = results
    assert (calls_of_one, calls_of_three) == (6, 2)
    for a, b in zip(weights_of_one, weights_of_three, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_same_seed_gives_the_same_weights_bit_for_bit():
    def run(seed):
        keras.utils.set_random_seed(seed)
        gan = dcgan_gan(seed=seed, augment="translation")
        gan.fit(data.batches(data.open("digits"), 16, seed), steps_per_epoch=4, verbose=0)
        return weights(gan)

    assert same(run(0), run(0))
    assert not same(run(0), run(1))


def test_fit_with_finite_datasets_epochs_and_single_batches(images):
    gan = mlp_gan()
    gan.fit(tf.data.Dataset.from_tensor_slices(images).batch(10), epochs=2, verbose=0)  # 10 + 10 + 4 images
    assert int(gan.step.numpy()) == 6
    logs = gan.train_on_batch(images[:8], return_dict=True)
    assert int(gan.step.numpy()) == 7
    assert np.isfinite(logs["generator_loss"])
    gan.fit(images, batch_size=8, verbose=0)
    assert int(gan.step.numpy()) == 10


def test_end_of_a_dataset_of_unknown_size_counts_no_step(images):
    gan = mlp_gan()
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(8).filter(lambda batch: True)
    gan.fit(dataset, epochs=2, verbose=0)
    assert int(gan.step) == 6


def test_run_eagerly(images):
    gan = mlp_gan(run_eagerly=True)
    gan.fit(images, batch_size=8, verbose=0)
    assert int(gan.step.numpy()) == 3


@pytest.mark.slow
def test_xla_step_matches_the_graph_step():
    """The step has augmentation and penalties with random numbers. On a GPU, XLA is the default."""
    source = data.open("digits")

    def run(jit_compile):
        keras.utils.set_random_seed(0)
        gan = mlp_gan(
            num_classes=10,
            optimizer=sgd,
            jit_compile=jit_compile,
            augment="color,translation,cutout",
            penalties=[penalties.R1(1.0, interval=2), penalties.WGANGP(1.0)],
        )
        gan.fit(data.batches(source, 16), steps_per_epoch=3, verbose=0)
        return weights(gan)

    for a, b in zip(run(False), run(True), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert mlp_gan().jit_compile is False  # "auto" without a GPU


def test_dropout_masks_depend_on_seed_and_step():
    gan = ganlib.GAN(dcgan.Generator(SHAPE, 4, width=4), dcgan.Discriminator(SHAPE, width=4, dropout=0.5))
    gan.compile(adam(), adam())
    states = [v for v in gan.discriminator.variables if v.name == "seed_generator_state"]
    assert len(states) == 1

    def state_at(step):
        gan.step.assign(step)
        gan.random_stream()
        return states[0].numpy().tolist()

    assert state_at(1) == state_at(1) != state_at(2)


class InfiniteAtStep(keras.layers.Layer):
    """An augmentation that multiplies images by infinity at one step on the last replica, and returns them unchanged
    otherwise."""

    def __init__(self, gan, step):
        super().__init__()
        self.gan, self.step = gan, step

    def __call__(self, images, rng):
        context = tf.distribute.get_replica_context()
        last = context.replica_id_in_sync_group == context.num_replicas_in_sync - 1
        return images * tf.where((self.gan().step.value == self.step) & last, np.inf, 1.0)


@pytest.mark.parametrize("count", [1, 2])
def test_non_finite_step_is_skipped(count, tmp_path):
    """Weights and moments stay unchanged, averages and batch statistics stay finite on every replica, and the step counts."""
    with replicas(count).scope():
        gan = dcgan_gan(non_finite="skip", augment=InfiniteAtStep(lambda: gan, 2))
    states = []

    class RecordStates(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            moments = [v for optimizer in gan.optimizers for v in optimizer.inner_optimizer.variables]
            states.append([np.array(v) for v in gan.trainable_variables + moments])

    stop, log = callbacks.StopAtNonFinite(patience=1), callbacks.LogMetrics(tmp_path, every=4)
    gan.fit(data.batches(data.open("digits"), 8), steps_per_epoch=4, verbose=0, callbacks=[RecordStates(), stop, log])
    changed = [[not np.array_equal(a, b) for a, b in zip(*pair, strict=True)] for pair in itertools.pairwise(states)]
    assert [np.mean(change) > 0.9 for change in changed] == [True, False, True]
    assert not any(changed[1])
    assert all(np.isfinite(np.array(v)).all() for v in checkpoint.all_variables(gan))
    (row,) = callbacks.read_rows(tmp_path / "metrics.jsonl")
    assert row["non_finite_steps"] == 1
    assert np.isfinite(list(row.values())).all()
    for variable in gan.variables:
        if count == 2 and variable.value.dtype.is_floating:
            np.testing.assert_array_equal(*[np.asarray(v) for v in variable.value.values])
