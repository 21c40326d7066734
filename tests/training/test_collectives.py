import pytest
import tensorflow as tf

from ganlib.training import collectives
from tests.helpers import SHAPE, dcgan_gan, mlp_gan, replicas

IMAGES = tf.TensorSpec((4, *SHAPE), tf.uint8)


def parameters(model):
    return sum(v.value.shape.num_elements() for v in model.trainable_variables)


def test_exchange_of_gradients():
    with replicas(2).scope():
        gan = mlp_gan()
    assert collectives.exchange(gan, IMAGES) == (2, 4 * parameters(gan))


def test_embeddings_and_batch_statistics_do_not_grow_with_the_batch():
    with replicas(2).scope():
        gan = dcgan_gan()
    statistics = sum(v.value.shape.num_elements() for v in gan.variables if v.name.startswith("moving_")) - 2 * (16 + 8)
    for count in (4, 8):
        batch = tf.TensorSpec((count, *SHAPE), tf.uint8), tf.TensorSpec((count,), tf.int64)
        assert collectives.exchange(gan, batch) == (3, 4 * (parameters(gan) + statistics))


def test_ring_seconds_by_hand():
    exchanged = collectives.Exchange(collectives=3, bytes=4_000_000)
    # Among 4 devices, each sends 2 * 3/4 of the bytes, in 6 messages per collective.
    assert collectives.ring_seconds(exchanged, 4, 1e9, 1e-5) == pytest.approx(0.006 + 18e-5)
    assert collectives.ring_seconds(exchanged, 1, 1e9, 1e-5) == 0.0
