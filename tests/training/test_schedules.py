import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data, penalties
from ganlib.training import schedules
from tests.helpers import mlp_gan, replicas, same, weights


def values(schedule, steps):
    return [float(schedule(step)) for step in steps]


STEPS = np.arange(0, 120, 5)


def test_exponential_by_hand():
    """Triple-GAN's rate falls by 0.5 % in each of 700 epochs of 600 steps."""
    schedule = schedules.Exponential(1e-3, 1e-3 * 0.995**700, 700 * 600, begin=1000)
    expected = [1e-3 * 0.995**epoch for epoch in (0, 0, 1, 350, 700, 700)]
    steps = [0, 1000, 1600, 1000 + 350 * 600, 1000 + 700 * 600, 10**6]
    np.testing.assert_allclose([float(schedule(step)) for step in steps], expected, rtol=1e-4)
    np.testing.assert_allclose(float(schedules.Exponential(1.0, 1e-8, 100)(100)), 1e-8, rtol=1e-4)
    with pytest.raises(ganlib.UserError, match="start and end of an exponential schedule must be both above or both below 0"):
        schedules.Exponential(1e-3, 0.0, 10)


def test_fixmatchs_cosine_by_hand():
    schedule = schedules.from_config({"fixmatch": {"start": 0.03, "share": 1.0}}, 1000)
    expected = [0.03 * np.cos(7 * np.pi * share / 16) for share in (0, 0.25, 1, 1)]
    np.testing.assert_allclose([float(schedule(step)) for step in (0, 250, 1000, 2000)], expected, rtol=1e-5)
    with pytest.raises(ganlib.UserError, match="a schedule's steps must be positive, got 0"):
        schedules.FixMatchCosine(0.03, 0)


def test_linear_and_cosine_by_hand():
    progress = np.clip((STEPS - 20) / 50, 0, 1)
    np.testing.assert_allclose(values(schedules.Linear(0.2, 1.0, 50, begin=20), STEPS), 0.2 + 0.8 * progress, atol=1e-6)
    cosine = 0.2 + 0.8 * (1 - np.cos(np.pi * progress)) / 2
    np.testing.assert_allclose(values(schedules.Cosine(0.2, 1.0, 50, begin=20), STEPS), cosine, atol=1e-6)


def test_half_life_with_a_schedule():
    schedule = schedules.HalfLife(schedules.Linear(0, 100, 100))
    np.testing.assert_allclose(values(schedule, [0, 50, 100]), [0.0, 0.5 ** (1 / 50), 0.5 ** (1 / 100)], rtol=1e-6)


ALL = [
    schedules.Linear(0.2, 1.0, 50, 3),
    schedules.Cosine(0.2, 1.0, 50),
    schedules.HalfLife(schedules.Linear(1, 9, 10)),
    schedules.HalfLife(7),
    schedules.Exponential(0.2, 1.0, 50, 3),
    schedules.FixMatchCosine(0.2, 50),
    schedules.EachStep(schedules.Linear(0.2, 1.0, 5), 8),
]


@pytest.mark.parametrize("schedule", ALL, ids=lambda schedule: type(schedule).__name__)
def test_saved_schedule_has_the_same_values(schedule):
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert values(loaded, STEPS) == values(schedule, STEPS)


def test_adam_beta_2_schedule_against_numpy():
    """The bias correction uses the beta_2 of each update, as in PyTorch's optimizer when its betas are changed."""
    beta_2 = schedules.Linear(0.5, 0.9, 4)
    optimizer = schedules.Adam(0.1, beta_1=0.0, beta_2=beta_2, epsilon=1e-8)
    variable, x, second = keras.Variable([1.0, -2.0]), np.array([1.0, -2.0]), 0.0
    apply = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
    for step in range(6):
        gradient = np.array([0.3, -1.0]) * (step + 1)
        apply(tf.constant(gradient, tf.float32))
        beta = 0.5 + 0.4 * min(step / 4, 1)
        second = beta * second + (1 - beta) * gradient**2
        x = x - 0.1 * gradient / (np.sqrt(second / (1 - beta ** (step + 1))) + 1e-8)
        np.testing.assert_allclose(variable, x, rtol=1e-5)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    loaded.build([variable])
    loaded.iterations.assign(2)
    assert float(loaded.beta_2) == pytest.approx(0.7)


def test_gan_with_schedules_everywhere_is_saved(images, tmp_path):
    rate = schedules.Cosine(1e-3, 0.0, 4)
    weight, decay = schedules.Linear(2.0, 0.0, 2), schedules.HalfLife(schedules.Linear(0, 100, 2))
    adam = lambda: schedules.Adam(rate, beta_2=schedules.Linear(0.9, 0.99, 4))  # noqa: E731
    gan = mlp_gan(optimizer=adam, penalties=[penalties.R1(weight)], ema_decay=decay)
    logs = [gan.train_on_batch(images[:8], return_dict=True) for _ in range(3)]
    assert [log["r1"] > 0 for log in logs] == [True, True, False]
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for model in (gan, loaded):
        model.train_on_batch(images[8:16])
    for a, b in zip(gan.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    before = [np.array(v) for v in gan.trainable_variables]
    gan.train_on_batch(images[:8])  # the learning rate has reached 0
    assert all(np.array_equal(a, b) for a, b in zip(before, gan.trainable_variables, strict=True))


def test_each_step_counts_train_steps(images):
    """All five updates of step 1 use the same learning rate. In step 2 the learning rate is 0."""
    gan = mlp_gan()
    rate = schedules.EachStep(schedules.Linear(0.1, 0.0, 2), 5)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(rate), discriminator_steps=5)
    rates, before = [], weights(gan.discriminator)
    for _ in range(3):
        gan.train_on_batch(images[:20])
        rates.append(float(gan.discriminator_optimizer.learning_rate))
        previous, before = before, weights(gan.discriminator)
    np.testing.assert_allclose(rates, [0.05, 0.0, 0.0], rtol=1e-6)
    assert same(previous, before)


@pytest.mark.slow
def test_schedules_agree_on_one_and_two_replicas(float64):
    """This includes DRAGAN, whose noise depends on the standard deviation of the global batch."""

    def trained(count):
        adam = lambda: schedules.Adam(schedules.Cosine(1e-3, 1e-4, 5), beta_2=schedules.Cosine(0.9, 0.99, 5))  # noqa: E731
        terms = [penalties.R1(schedules.Linear(1.0, 0.1, 5)), penalties.DRAGAN(1.0), penalties.BalancedConsistency(1.0)]
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            gan = mlp_gan(optimizer=adam, penalties=terms, ema_decay=schedules.HalfLife(schedules.Linear(0, 10, 5)))
        gan.fit(data.batches(data.open("digits"), 16, with_labels=False), steps_per_epoch=8, verbose=0)
        return weights(gan)

    for a, b in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_from_config_and_errors():
    config = {"half_life": {"half_life": {"linear": {"start": 0, "end": 10, "steps": 5}}}}
    assert values(schedules.from_config(config, 100), [5]) == pytest.approx([0.5**0.1])
    assert schedules.from_config(0.5, 100) == 0.5
    assert schedules.from_config({"linear": {"start": 0, "end": 1, "share": 0.3}}, 100).steps == pytest.approx(30)
    with pytest.raises(ganlib.UserError, match="unknown schedule 'cosin'.* Did you mean 'cosine'"):
        schedules.from_config({"cosin": {}}, 1)
    with pytest.raises(ganlib.UserError, match="a schedule must have one name with its arguments, .* got start, end"):
        schedules.from_config({"start": 0, "end": 1}, 1)
    with pytest.raises(ganlib.UserError, match="cannot build the schedule 'linear': .*'steps'"):
        schedules.from_config({"linear": {"start": 0, "end": 1}}, 1)
    with pytest.raises(ganlib.UserError, match="a schedule's steps must be positive, got 0"):
        schedules.Linear(0, 1, 0)


@pytest.mark.parametrize("corrected", [False, True])
def test_adam_adds_epsilon_before_or_after_the_bias_correction(corrected):
    """By hand, with an epsilon that is as large as the gradients."""
    optimizer = schedules.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=0.3, corrected_epsilon=corrected)
    variable = keras.Variable([1.0, -2.0])
    gradients = np.array([[0.5, -1.0], [0.2, 0.4], [-0.3, 2.0]])
    value, m, v = np.array([1.0, -2.0]), 0.0, 0.0
    for step, gradient in enumerate(gradients, start=1):
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        m, v = 0.5 * m + 0.5 * gradient, 0.9 * v + 0.1 * gradient**2
        mean, second = m / (1 - 0.5**step), v / (1 - 0.9**step)
        root = np.sqrt(second) + 0.3 if corrected else (np.sqrt(v) + 0.3) / np.sqrt(1 - 0.9**step)
        value = value - 0.1 * mean / root
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert (copy.get_config()["epsilon"], copy.corrected_epsilon) == (0.3, corrected)


def updates_of_the_authors(gradients, rate, beta_1, beta_2, epsilon, value):
    """adam_updates of Salimans et al. 2016 in float64: the values after each gradient."""
    m, v, values = 0.0, 0.0, []
    for t, gradient in enumerate(gradients, start=1):
        m, v = beta_1 * m + (1 - beta_1) * gradient, beta_2 * v + (1 - beta_2) * gradient**2
        value = value - rate * (m / (1 - beta_1**t)) / np.sqrt(v / (1 - beta_2**t) + epsilon)
        values.append(value)
    return values


GRADIENTS = np.array([[3e-4, -1.0], [1e-4, 0.4], [-2e-4, 2.0], [0.0, -0.1], [5e-5, 0.0]])
"""In the first column, 1e-4, the root of epsilon, is as large as the root of the second moment."""


@pytest.mark.parametrize("jit_compile", [False, True])
def test_adam_with_epsilon_in_the_root_is_the_authors(jit_compile):
    optimizer = schedules.Adam(0.1, beta_1=0.5, epsilon=1e-8, epsilon_in_root=True)
    variable = keras.Variable([1.0, -2.0])
    optimizer.build([variable])
    apply = tf.function(lambda gradient: optimizer.apply([gradient], [variable]), jit_compile=jit_compile)
    expected = updates_of_the_authors(GRADIENTS, 0.1, 0.5, 0.999, 1e-8, np.array([1.0, -2.0]))
    for gradient, value in zip(GRADIENTS, expected, strict=True):
        apply(tf.constant(gradient, tf.float32))
        np.testing.assert_allclose(variable, value, rtol=1e-4)
    assert abs(expected[0][0] - 1.0) == pytest.approx(0.1 * 3 / np.sqrt(10))  # 0.1 without epsilon


def test_adam_with_epsilon_in_the_root_is_saved_and_goes_on(images, tmp_path):
    adam = lambda: schedules.Adam(1e-2, beta_1=0.5, epsilon=1e-4, epsilon_in_root=True)  # noqa: E731
    gan, other = mlp_gan(optimizer=adam), mlp_gan(optimizer=lambda: schedules.Adam(1e-2, beta_1=0.5, epsilon=1e-4))
    other.set_weights(gan.get_weights())
    for model in (gan, other):
        model.train_on_batch(images[:8])
    assert not same(weights(gan), weights(other))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.generator_optimizer.epsilon_in_root
    for model in (gan, loaded):
        model.train_on_batch(images[8:16])
    assert same(weights(gan), weights(loaded))


def test_adam_with_epsilon_in_the_root_under_loss_scaling():
    """The gradients are unscaled before epsilon is added, and an update that is not finite counts for nothing."""
    optimizer = schedules.Adam(0.1, beta_1=0.5, epsilon=1e-8, epsilon_in_root=True)
    scaled, variable = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0), keras.Variable([1.0, -2.0])
    expected = updates_of_the_authors(GRADIENTS[:3], 0.1, 0.5, 0.999, 1e-8, np.array([1.0, -2.0]))
    for gradient in [GRADIENTS[0], np.array([np.inf, 1.0]), GRADIENTS[1], GRADIENTS[2]]:
        scaled.apply([tf.constant(gradient, tf.float32) * scaled.scale_loss(1.0)], [variable])
    np.testing.assert_allclose(variable, expected[-1], rtol=1e-4)


def test_adam_with_epsilon_in_the_root_agrees_on_one_and_two_replicas(float64):
    def trained(count):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            gan = mlp_gan(optimizer=lambda: schedules.Adam(1e-3, beta_1=0.5, epsilon=1e-8, epsilon_in_root=True))
        gan.fit(data.batches(data.open("digits"), 16, with_labels=False), steps_per_epoch=4, verbose=0)
        return weights(gan)

    for a, b in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("other", ["corrected_epsilon", "amsgrad"])
def test_adam_has_one_form_at_a_time(other):
    with pytest.raises(ganlib.UserError, match=f"epsilon_in_root=True is another form of Adam than {other}=True"):
        schedules.Adam(0.1, epsilon_in_root=True, **{other: True})
