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


def compute_gradients(loss_fn, updates, batch, rng, accumulation_steps=1):
    model = DistributedModel()
    model.accumulation_steps = accumulation_steps
    return model.compute_gradients(loss_fn, updates, batch, rng)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_means_over_micro_batches_by_hand(count):
    """The loss E (w.x)^2 has the gradient 2 E (w.x) x; a second update has a loss of its own, in the same pass."""
    first, second = keras.Sequential([keras.layers.Dense(1, use_bias=False)]), keras.Sequential([keras.layers.Dense(1)])
    first.build((None, 3))
    second.build((None, 3))
    optimizer = keras.optimizers.SGD(1.0)

    def loss_fn(x, labels, rng):
        assert labels is None
        loss = tf.reduce_mean(first(x) ** 2)
        return [loss, tf.reduce_mean(second(x))], {"loss": loss}

    updates = [(first, optimizer), (second, optimizer)]
    found, logs = compute_gradients(loss_fn, updates, (tf.constant(X), None), RandomStream(0), count)
    w = first.get_weights()[0]
    np.testing.assert_allclose(found[0][0], 2 * np.mean((X @ w) * X, axis=0)[:, None], rtol=1e-5)
    np.testing.assert_allclose(found[1][0], X.mean(axis=0)[:, None], rtol=1e-5)
    np.testing.assert_allclose(found[1][1], [1.0], rtol=1e-6)
    assert float(logs["loss"]) == pytest.approx(np.mean((X @ w) ** 2), rel=1e-5)


def test_micro_batches_wait_for_one_another():
    """So that one alone is in memory: neither its images nor its random numbers come before the last one's gradients."""
    dense = keras.Sequential([keras.layers.Dense(1)])
    dense.build((None, 3))
    updates, outputs, latents = [(dense, keras.optimizers.SGD(1.0))], [], []

    def loss_fn(x, rng):
        latents.append(rng.normal((2, 3)))  # two rows a part
        outputs.append(dense(x))
        return [tf.reduce_mean(outputs[-1] ** 2 + dense(latents[-1]) ** 2)], {}

    @tf.function
    def step():
        return compute_gradients(loss_fn, updates, (tf.constant(X),), RandomStream(0), 3)

    step.get_concrete_function()
    for part in (1, 2):
        for made in (outputs, latents):
            assert {outputs[part - 1].op, latents[part - 1].op} <= before(made[part].op)


def before(operation):
    """All that must have been computed before an operation."""
    found, left = set(), [operation]
    while left:
        operation = left.pop()
        new = {*operation.control_inputs, *(tensor.op for tensor in operation.inputs)} - found
        found |= new
        left += new
    return found


def test_an_embeddings_gradient_is_whole():
    embedding = keras.Sequential([keras.layers.Embedding(5, 2)])
    embedding.build((None,))
    updates = [(embedding, keras.optimizers.SGD(1.0))]
    batch = (tf.constant([1, 1, 3]),)
    ((found,),), _ = compute_gradients(lambda i, r: ([tf.reduce_sum(embedding(i))], {}), updates, batch, None)
    assert isinstance(found, tf.Tensor)
    np.testing.assert_array_equal(found, np.array([0, 2, 0, 1, 0])[:, None] * np.ones((5, 2)))


def test_one_replica_that_is_not_finite_spoils_all():
    @tf.function
    def both(value):
        def on_each():
            own = tf.where(tf.distribute.get_replica_context().replica_id_in_sync_group == 1, value, 1.0)
            return gradients.all_or_none_finite([own, None, tf.ones(2)])[2]

        return strategy.experimental_local_results(strategy.run(on_each))

    strategy = replicas(2)
    assert all(np.isnan(result).all() for result in both(np.inf))
    assert all(np.array_equal(result, np.ones(2)) for result in both(2.0))


@pytest.mark.parametrize(("count", "parts"), slow_beyond([(1, 2), (1, 4), (2, 2)], 1))
@pytest.mark.parametrize("arguments", VARIANTS.values(), ids=VARIANTS)
def test_a_batch_in_parts_gives_the_same_weights_and_logs(float64, count, parts, arguments):
    (whole, logs), (cut, cut_logs) = trained(1, steps=5, **arguments), trained(count, 5, accumulation_steps=parts, **arguments)
    for a, b in zip(weights(whole), weights(cut), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    for name, values in logs.items():
        np.testing.assert_allclose(values, cut_logs[name], atol=1e-4)


def averages_after_a_step(parts):
    """Averages that do not see how the batch is cut: LeCam's, a batch norm's mean, the discriminator's singular vectors."""
    keras.utils.set_random_seed(0)
    gan = ganlib.GAN(mlp.Generator(SHAPE, 4, 8, 1, normalization="batch"), mlp.Discriminator(SHAPE, 8, 1, spectral_norm=True))
    gan.compile(sgd(), sgd(), penalties=[penalties.LeCam(1.0)], accumulation_steps=parts)
    gan.train_on_batch(np.random.default_rng(0).integers(0, 256, (16, *SHAPE), np.uint8))
    moved = [v for v in gan.variables if v.name in ("moving_mean", "singular_vector", "real", "fake")]
    assert len(moved) == 6  # the generator's average has a batch norm, too
    return [v.numpy() for v in moved]


def test_averages_move_once_a_step_however_many_parts():
    for a, b in zip(averages_after_a_step(1), averages_after_a_step(4), strict=True):
        assert np.abs(a).max() > 1e-4
        np.testing.assert_allclose(a, b, rtol=0.3)  # roughly: a part has batch moments of its own


def test_parts_that_are_not_equal_are_refused():
    with pytest.raises(ganlib.UserError, match="a batch of 16 examples a replica cannot be cut into accumulation_steps=3"):
        trained(1, steps=1, accumulation_steps=3)
