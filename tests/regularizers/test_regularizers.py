import dataclasses

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

import ganlib
from ganlib import regularizers
from ganlib.training import RandomStream
from tests.helpers import replicas

LOGITS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
LATENTS = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
MATRIX = np.random.default_rng(2).normal(size=(3, 4)).astype(np.float32)


def outputs():
    generate = lambda latents: tf.reshape(2.0 * latents, (-1, 1, 1, 3))  # noqa: E731
    classify = lambda images: tf.matmul(tf.reshape(images, (-1, 3)), MATRIX / 2.0)  # noqa: E731
    return regularizers.Outputs(
        tf.constant(LOGITS),
        classify(generate(LATENTS)),
        tf.constant(LATENTS),
        generate(LATENTS),
        lambda latents, moved=None: classify(moved(generate(latents)) if moved else generate(latents)),
        lambda: tf.constant(LOGITS[::-1]),
        tf.constant(50),
    )


def test_conditional_entropy_against_scipy():
    probabilities = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    expected = 0.3 * scipy.stats.entropy(probabilities, axis=1).mean()
    assert float(regularizers.ConditionalEntropy(0.3)(outputs(), RandomStream(0))) == pytest.approx(expected, rel=1e-5)


def test_manifold_of_a_linear_map():
    """f(z) = z M, so the term is weight * epsilon^2 * E ||d M||^2 over unit directions d."""
    direction = np.array(RandomStream(5).normal((6, 3)))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    expected = 2 * 0.1**2 * np.square(direction @ MATRIX).sum(1).mean()
    term = regularizers.Manifold(weight=2.0, epsilon=0.1)
    assert float(term(outputs(), RandomStream(5))) == pytest.approx(expected, rel=1e-3)


def test_manifold_of_images_along_the_direction_of_the_latents():
    """An image is 2 z, and the other one is 2 z + image_step d / ||d||, whatever the distance of the latents."""
    direction = np.array(RandomStream(5).normal((6, 3)))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    expected = 2 * np.abs(20 * direction @ MATRIX / 2).sum(1).mean()
    term = regularizers.Manifold(weight=2.0, epsilon=0.1, image_step=20.0, norm="l1")
    assert float(term(outputs(), RandomStream(5))) == pytest.approx(expected, rel=1e-4)


def test_consistency_against_scipy():
    """The logits of the averaged classifier are those of the images in reverse order here, and have no gradient."""
    p = scipy.special.softmax(LOGITS, axis=1)
    expected = 10 * np.square(p - p[::-1]).sum(1).mean()
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        replaced = dataclasses.replace(outputs(), unlabeled_logits=logits, classify_by_average=lambda: logits[::-1])
        value = regularizers.Consistency(10.0)(replaced, RandomStream(0))
    assert float(value) == pytest.approx(expected, rel=1e-5)
    jacobian = p[:, :, None] * (np.eye(4) - p[:, None, :])  # of the softmax
    expected_gradient = 10 * 2 / 6 * np.einsum("nk,nkj->nj", p - p[::-1], jacobian)
    np.testing.assert_allclose(tape.gradient(value, logits), expected_gradient, atol=1e-5)


def test_consistency_ramp_up():
    """`outputs` are those of step 50."""
    full = float(regularizers.Consistency(3.0)(outputs(), None))
    for ramp_up, progress in ((100, 0.5), (200, 0.25), (20, 1.0), (50, 1.0)):
        value = float(regularizers.Consistency(3.0, ramp_up)(outputs(), None))
        assert value == pytest.approx(full * np.exp(-5 * (1 - progress) ** 2), rel=1e-5)


def test_marginal_entropy_against_scipy():
    frequencies = scipy.special.softmax(LOGITS, axis=1).mean(0)
    expected = 0.7 * (np.log(4) - scipy.stats.entropy(frequencies))
    assert float(regularizers.MarginalEntropy(0.7)(outputs(), RandomStream(0))) == pytest.approx(expected, rel=1e-4)
    balanced = dataclasses.replace(outputs(), unlabeled_logits=20 * tf.eye(4))
    assert float(regularizers.MarginalEntropy()(balanced, RandomStream(0))) == pytest.approx(0, abs=1e-6)


def test_marginal_entropy_ramp_down():
    """`outputs` are those of step 50."""
    full = float(regularizers.MarginalEntropy(3.0)(outputs(), None))
    for ramp_down, remaining in ((100, 0.5), (200, 0.75), (20, 0.0), (50, 0.0)):
        value = float(regularizers.MarginalEntropy(3.0, ramp_down)(outputs(), None))
        assert value == pytest.approx(full * remaining, rel=1e-5)


def test_marginal_entropy_uses_the_global_batch():
    """Each of two replicas has images of one class only, but both classes are equally frequent in the global batch."""
    logits = [20 * tf.one_hot([k, k], 2) for k in (0, 1)]

    def value():
        local_logits = logits[0] if tf.distribute.get_replica_context().replica_id_in_sync_group == 0 else logits[1]
        return regularizers.MarginalEntropy()(dataclasses.replace(outputs(), unlabeled_logits=local_logits), None)

    for result in replicas(2).experimental_local_results(replicas(2).run(value)):
        assert float(result) == pytest.approx(0, abs=1e-6)


def test_pull_away_by_a_double_loop():
    cosines = [
        np.dot(a, b) ** 2 / np.dot(a, a) / np.dot(b, b) for i, a in enumerate(LOGITS) for j, b in enumerate(LOGITS) if i != j
    ]
    assert float(regularizers.PullAway(0.8)(tf.constant(LOGITS))) == pytest.approx(0.8 * np.mean(cosines), rel=1e-5)
    assert float(regularizers.PullAway()(tf.eye(3))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "term",
    [
        regularizers.ConditionalEntropy(0.1),
        regularizers.Manifold(0.2, epsilon=0.5, image_step=2.0, norm="l1"),
        regularizers.PullAway(0.8),
        regularizers.Consistency(10.0),
        regularizers.MarginalEntropy(0.3, ramp_down=7),
    ],
)
def test_round_trip(term):
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert loaded.get_config() == term.get_config()


def test_get_by_name():
    term = regularizers.get("manifold", regularizers.CLASSIFIER_TERMS, weight=0.5)
    assert (term.weight, term.epsilon) == (0.5, 1.0)
    with pytest.raises(ganlib.UserError, match="unknown regularizer 'pull_awai'.*Did you mean 'pull_away'"):
        regularizers.get("pull_awai", regularizers.GENERATOR_TERMS)
