"""What Keras users are used to write, and what they mistype, is taken or answered by one line."""

import inspect

import keras
import numpy as np
import pytest

import ganlib
from ganlib import penalties
from ganlib.networks import mlp
from tests.helpers import adam, mlp_gan


def refused(told):
    return pytest.raises(ganlib.UserError, match=f"^[^\n]*{told}[^\n]*$")


def test_optimizers_come_by_name_as_in_keras(images):
    gan = mlp_gan()
    gan.compile("adam", {"class_name": "SGD", "config": {"learning_rate": 0.5}})
    gan.fit(images, verbose=0)
    assert isinstance(gan.generator_optimizer, keras.optimizers.Adam)
    assert float(gan.discriminator_optimizer.learning_rate) == 0.5


@pytest.mark.parametrize("wrong", ["adma", 2e-4, keras.optimizers.Adam])
def test_what_is_no_optimizer_is_refused(wrong):
    with refused("generator_optimizer must be a Keras optimizer"):
        mlp_gan().compile(wrong, adam())


def test_arguments_that_are_left_out_are_those_of_dcgan(images):
    gan = mlp_gan()
    gan.compile()
    gan.fit(images, verbose=0)
    for optimizer in gan.optimizers:
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert (round(float(optimizer.learning_rate), 8), optimizer.beta_1) == (2e-4, 0.5)


def test_a_schedule_of_keras_in_an_optimizer(images):
    gan = mlp_gan()
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
    gan.compile(keras.optimizers.SGD(rate), "sgd")
    gan.fit(images, batch_size=8, verbose=0)
    np.testing.assert_allclose(float(gan.generator_optimizer.learning_rate), 0.1 * 0.5**3, rtol=1e-6)


@pytest.mark.parametrize("given", ["r1", ["r1"], penalties.R1(), [penalties.R1()], ("r1",)])
def test_penalties_come_by_name_or_alone(given):
    (penalty,) = mlp_gan(penalties=given).penalties
    assert (penalty.name, penalty.weight, penalty.interval) == ("r1", 10.0, 1)


def test_every_penalty_has_defaults():
    for name, kind in penalties.PENALTIES.items():
        assert kind().name == name


def test_no_penalties():
    assert mlp_gan(penalties=None).penalties == []


ARGUMENTS = {
    "shared": [
        "ema_decay", "seed", "accumulation_steps", "non_finite", "jit_compile", "steps_per_execution", "run_eagerly",
    ],
    "metrics": ["metrics", "metric_features", "metric_samples"],
    "GAN": [
        "generator_optimizer", "discriminator_optimizer", "loss", "penalties", "augment", "discriminator_steps", "update",
        "top_k", "generator_batch_factor", "fresh_real_images",
    ],
    "SemiSupervisedGAN": [
        "generator_optimizer", "discriminator_optimizer", "augment", "labeled_augment", "unlabeled_weight", "generator_loss",
        "regularizers", "generator_regularizers", "update", "class_weights", "fresh_real_images",
    ],
    "TripleGAN": [
        "generator_optimizer", "discriminator_optimizer", "classifier_optimizer", "augment", "alpha", "adversarial_weight",
        "generated_weight", "regularizers", "labeled_fraction", "adversarial_loss", "generated_from_step", "pretraining_steps",
    ],
    "SupervisedClassifier": ["optimizer", "augment", "class_weights"],
    "PseudoLabelClassifier": [
        "optimizer", "augment", "strong_augment", "threshold", "unlabeled_weight", "class_weights", "joint_pass",
        "weight_decay",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name not in ("shared", "metrics")])
def test_help_names_every_argument_of_compile(name):
    parameters = list(inspect.signature(getattr(ganlib, name).compile).parameters)
    metrics = [] if name.endswith("Classifier") else ARGUMENTS["metrics"]
    assert parameters == ["self", *ARGUMENTS[name], *metrics, *ARGUMENTS["shared"]]
    for parameter in parameters[1:]:
        assert parameter in getattr(ganlib, name).compile.__doc__


def test_an_optimizer_of_another_model_is_refused():
    used = adam()
    mlp_gan().compile(used, adam())
    with refused("generator_optimizer already has the state of other weights"):
        mlp_gan().compile(used, adam())


def test_a_model_is_compiled_again_with_its_optimizers(images):
    gan = mlp_gan()
    gan.compile(gan.generator_optimizer, gan.discriminator_optimizer)
    gan.fit(images, verbose=0)


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_frozen_network_is_refused(network):
    """In earlier GAN codes on Keras, the discriminator is frozen for the generator's update."""
    gan = mlp_gan()
    getattr(gan, network).trainable = False
    with refused(f"{network}.* has no trainable weights"):
        gan.compile()


def test_a_gan_without_metrics_has_nothing_to_evaluate(images):
    gan = mlp_gan()
    for model in (ganlib.GAN(gan.generator, gan.discriminator), gan):
        with refused("there are no metrics to compute: name them in compile"):
            model.evaluate(images)


def test_one_optimizer_for_two_networks_is_refused():
    one = adam()
    with refused("generator_optimizer and discriminator_optimizer are the same optimizer"):
        mlp_gan().compile(one, one)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"loss": keras.losses.BinaryCrossentropy()}, "take logits: use keras.losses.BinaryCrossentropy.from_logits=True."),
        ({"loss": keras.losses.BinaryCrossentropy(True, reduction="sum")}, "a loss of a GAN is a mean, got reduction='sum'"),
        ({"loss": keras.losses.MeanSquaredError()}, "MeanSquaredError is not a loss of a GAN"),
        ({"loss": None}, "a loss must be a name"),
        ({"penalties": ["lecamm"]}, "unknown penalties 'lecamm': known are .* Did you mean 'lecam'"),
        ({"penalties": ["r1", penalties.R1(1.0)]}, "each penalty may be used once, got r1, r1"),
        ({"penalties": [penalties.R1]}, "penalties must be a list of terms"),
        ({"penalties": {"r1": {"weight": 1.0}}}, "penalties must be a list of terms"),
        ({"metrics": "kid"}, "metrics must be a list of names"),
        ({"metrics": ["accuracy"]}, "unknown metric 'accuracy'"),
        ({"metric_features": penalties}, "metric_features must be a name"),
        ({"metric_samples": 1}, "metric_samples must be at least 2, got 1"),
        ({"augment": keras.layers.RandomFlip()}, "an augmentation must be a name"),
        ({"augment": lambda images: images}, "a function of .images, rng."),
        ({"augment": ganlib.augment.ADA}, "an augmentation must be a name"),
        ({"augment": ["translation"]}, "an augmentation must be a name"),
        ({"discriminator_steps": 2.0}, "discriminator_steps must be an integer, got 2.0"),
        ({"discriminator_steps": True}, "discriminator_steps must be an integer"),
        ({"accumulation_steps": 1.5}, "accumulation_steps must be an integer"),
        ({"steps_per_execution": 0}, "steps_per_execution must be at least 1, got 0"),
        ({"top_k": "a"}, "top_k must be in"),
        ({"ema_decay": "0.9"}, "ema_decay must be in"),
        ({"seed": None}, "seed must be an integer, got None"),
        ({"seed": 1.5}, "seed must be an integer, got 1.5"),
        ({"seed": 2**70}, "seed must be below"),
    ],
)
def test_what_compile_cannot_take_is_refused(arguments, told):
    with refused(told):
        mlp_gan(**arguments)


def test_networks_that_are_exchanged_or_of_keras_alone_are_refused():
    generator, discriminator = mlp.Generator((8, 8, 1)), mlp.Discriminator((8, 8, 1))
    for pair in (
        (discriminator, generator),
        (generator, generator),
        (keras.Sequential(), discriminator),
        (mlp.Generator, None),
    ):
        with refused("must be a Keras model or a ganlib.networks|exchanged|dimension of the latents"):
            ganlib.GAN(*pair)
    with refused("this generator is conditional"):
        ganlib.SemiSupervisedGAN(mlp.Generator(num_classes=3), mlp.Discriminator(num_classes=3), num_classes=3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"image_shape": 8}, "image_shape must be .height, width, channels., got 8"),
        ({"image_shape": (8, 8)}, "image_shape must be"),
        ({"image_shape": (8.0, 8.0, 1)}, "image_shape must be"),
        ({"latent_dim": 0}, "latent_dim must be at least 1, got 0"),
        ({"num_classes": 2.5}, "num_classes must be an integer, got 2.5"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
    ],
)
def test_networks_of_no_size_are_refused(arguments, told):
    with refused(told):
        mlp.Generator(**arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"count": -1}, "count must be at least 0, got -1"),
        ({"count": 2.0}, "count must be an integer, got 2.0"),
        ({"seed": None}, "seed must be an integer, got None"),
        ({"batch_size": -1}, "batch_size must be at least 1"),
        ({"truncation": "a"}, "truncation must be positive"),
        ({"labels": [1, 2]}, "labels must be one integer or 4, one per image"),
        ({"labels": np.eye(3)[[0, 1, 2, 0]]}, "labels must be one integer or 4"),
        ({"labels": "1"}, "labels must be class indices from 0 to 2, got '1'"),
        ({"labels": 1.5}, "labels must be class indices"),
    ],
)
def test_what_generate_cannot_make_is_refused(arguments, told):
    with refused(told):
        mlp_gan(3).generate(**({"count": 4} | arguments))


def test_latents_that_do_not_fit_are_refused():
    with refused(r"latents must have the shape \(n, 4\), got \(2, 9\)"):
        mlp_gan().generate_from(np.zeros((2, 9)))
    with refused("labels must be from 0 to 2, got -1 to -1"):
        mlp_gan(3).generate_from(np.zeros((2, 4)), [-1, -1])
    with refused("this GAN is unconditional"):
        mlp_gan().generate_from(np.zeros((2, 4)), [1, 1])


def test_fit_refuses_what_it_would_leave_unused(images):
    for arguments in ({"class_weight": {0: 2.0}}, {"sample_weight": np.ones(len(images))}):
        with refused(f"fit does not support {next(iter(arguments))}"):
            mlp_gan().fit(images, **arguments)


def test_a_gan_that_was_not_compiled_is_saved(tmp_path):
    gan = ganlib.GAN(mlp.Generator((8, 8, 1), latent_dim=4), mlp.Discriminator((8, 8, 1)))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.generate(2), gan.generate(2))
    loaded.compile(adam(), adam())
