import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.networks import mlp
from ganlib.training import DistributedModel, RandomStream, gradients
from tests.helpers import SHAPE, VARIANTS, replicas, sgd, slow_beyond, trained, weights

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def model_with(accumulation_steps):
    model = DistributedModel()
    model.accumulation_steps = accumulation_steps
    return model


@pytest.mark.parametrize("count", [1, 2, 3])
def test_gradients_over_micro_batches_by_hand(count):
    """The loss E (w.x)^2 has the gradient 2 E (w.x) x. A second update has another loss in the same pass."""
    first, second = keras.Sequential([keras.layers.Dense(1, use_bias=False)]), keras.Sequential([keras.layers.Dense(1)])
    first.build((None, 3))
    second.build((None, 3))
    optimizer = keras.optimizers.SGD(1.0)

    def loss_fn(x, labels, rng):
        assert labels is None
        loss = tf.reduce_mean(first(x) ** 2)
        return [loss, tf.reduce_mean(second(x))], {"loss": loss}

    updates = [(first, optimizer), (second, optimizer)]
    computed, logs = model_with(count).compute_gradients(loss_fn, updates, (tf.constant(X), None), RandomStream(0))
    w = first.get_weights()[0]
    np.testing.assert_allclose(computed[0][0], 2 * np.mean((X @ w) * X, axis=0)[:, None], rtol=1e-5)
    np.testing.assert_allclose(computed[1][0], X.mean(axis=0)[:, None], rtol=1e-5)
    np.testing.assert_allclose(computed[1][1], [1.0], rtol=1e-6)
    assert float(logs["loss"]) == pytest.approx(np.mean((X @ w) ** 2), rel=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_regularizers_of_weights_are_added_once(count):
    """The loss 0 with the regularizer 0.5 * w^2 has the gradient w."""
    network = keras.Sequential([keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5))])
    network.build((None, 3))
    updates = [(network, keras.optimizers.SGD(1.0))]
    loss_fn = lambda x, rng: (0.0 * tf.reduce_mean(network(x)), {})  # noqa: E731
    ((kernel, bias),), _ = model_with(count).compute_gradients(loss_fn, updates, (tf.constant(X),), RandomStream(0))
    np.testing.assert_allclose(kernel, network.get_weights()[0], rtol=1e-6)
    np.testing.assert_array_equal(bias, [0.0, 0.0])


def test_losses_that_layers_add_are_refused():
    network = keras.Sequential([keras.layers.Dense(2, activity_regularizer="l2")])
    updates = [(network, keras.optimizers.SGD(1.0))]
    loss_fn = lambda x, rng: (tf.reduce_mean(network(x)), {})  # noqa: E731
    with pytest.raises(ganlib.UserError, match="activity_regularizer"):
        model_with(1).compute_gradients(loss_fn, updates, (tf.constant(X),), RandomStream(0))


def test_micro_batches_run_one_after_another():
    """Only one micro-batch is in memory: its images and random numbers depend on the gradients of the previous one."""
    dense = keras.Sequential([keras.layers.Dense(1)])
    dense.build((None, 3))
    model, updates, outputs, latents = model_with(3), [(dense, keras.optimizers.SGD(1.0))], [], []

    def loss_fn(x, rng):
        latents.append(rng.normal((2, 3)))  # two rows per micro-batch
        outputs.append(dense(x))
        return [tf.reduce_mean(outputs[-1] ** 2 + dense(latents[-1]) ** 2)], {}

    @tf.function
    def step():
        return model.compute_gradients(loss_fn, updates, (tf.constant(X),), RandomStream(0))

    step.get_concrete_function()
    for part in (1, 2):
        for tensors in (outputs, latents):
            assert {outputs[part - 1].op, latents[part - 1].op} <= dependencies(tensors[part].op)


def dependencies(operation):
    """Returns all operations that run before an operation."""
    visited, remaining = set(), [operation]
    while remaining:
        operation = remaining.pop()
        new = {*operation.control_inputs, *(tensor.op for tensor in operation.inputs)} - visited
        visited |= new
        remaining += new
    return visited


def test_embedding_gradient_is_dense():
    embedding = keras.Sequential([keras.layers.Embedding(5, 2)])
    embedding.build((None,))
    updates = [(embedding, keras.optimizers.SGD(1.0))]
    batch = (tf.constant([1, 1, 3]),)
    loss_fn = lambda i, r: ([tf.reduce_sum(embedding(i))], {})  # noqa: E731
    ((gradient,),), _ = model_with(1).compute_gradients(loss_fn, updates, batch, None)
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_array_equal(gradient, np.array([0, 2, 0, 1, 0])[:, None] * np.ones((5, 2)))


def test_non_finite_gradient_on_one_replica_affects_all():
    @tf.function
    def both(value):
        def on_each():
            gradient = tf.where(tf.distribute.get_replica_context().replica_id_in_sync_group == 1, value, 1.0)
            return gradients.all_or_none_finite([gradient, None, tf.ones(2)])[2]

        return strategy.experimental_local_results(strategy.run(on_each))

    strategy = replicas(2)
    assert all(np.isnan(result).all() for result in both(np.inf))
    assert all(np.array_equal(result, np.ones(2)) for result in both(2.0))


@pytest.mark.parametrize(("count", "parts"), slow_beyond([(1, 2), (1, 4), (2, 2)], 1))
@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "reuse"])  # which needs the whole batch at once
def test_accumulation_gives_the_same_weights_and_logs(float64, count, parts, name):
    gan, logs = trained(1, steps=5, **VARIANTS[name])
    accumulated_gan, accumulated_logs = trained(count, 5, accumulation_steps=parts, **VARIANTS[name])
    for a, b in zip(weights(gan), weights(accumulated_gan), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    for name, values in logs.items():
        np.testing.assert_allclose(values, accumulated_logs[name], atol=1e-4)


def averages_after_a_step(parts):
    """Returns averages that do not depend on how the batch is split: those of LeCam, the mean of batch normalization, and the
    singular vectors of the discriminator."""
    keras.utils.set_random_seed(0)
    gan = ganlib.GAN(mlp.Generator(SHAPE, 4, 8, 1, normalization="batch"), mlp.Discriminator(SHAPE, 8, 1, spectral_norm=True))
    gan.compile(sgd(), sgd(), penalties=[penalties.LeCam(1.0)], accumulation_steps=parts)
    gan.train_on_batch(np.random.default_rng(0).integers(0, 256, (16, *SHAPE), np.uint8))
    averages = [v for v in gan.variables if v.name in ("moving_mean", "singular_vector", "real", "fake")]
    assert len(averages) == 6  # the EMA generator has batch normalization too
    return [v.numpy() for v in averages]


def test_averages_are_updated_once_per_step():
    for a, b in zip(averages_after_a_step(1), averages_after_a_step(4), strict=True):
        assert np.abs(a).max() > 1e-4
        np.testing.assert_allclose(a, b, rtol=0.3)  # approximately, since each micro-batch has other batch moments


def test_unequal_micro_batches_raise():
    with pytest.raises(ganlib.UserError, match="a batch of 16 examples per replica cannot be split into accumulation_steps=3"):
        trained(1, steps=1, accumulation_steps=3)
