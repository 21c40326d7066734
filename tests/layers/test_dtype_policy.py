"""Every network computes with its own dtype policy, wherever it is restored. The folder of networks is the list."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import ganlib
from ganlib import networks
from ganlib.layers import dtype_policy
from ganlib.training import averaging, precision
from tests.helpers import SHAPE, adam, same, weights

MODULES = {m.name: importlib.import_module(f"ganlib.networks.{m.name}") for m in pkgutil.iter_modules(networks.__path__)}
LARGER = (16, 16, 1)  # supported by all networks
SMALL = {
    "latent_dim": 21,
    "width": 4,
    "num_classes": 3,
    "attention": 8,
    "mapping_layers": 1,
    "normalization": "batch",
    "blocks": 1,
}


def kinds():
    """Returns every network class that can be created alone."""
    classes = {
        (name, which): vars(module).get(which)
        for name, module in MODULES.items()
        for which in ("Generator", "Discriminator", "Encoder", "PixelCNN")
        if name not in ("base", "encoder", "equalized", "instance", "wrapped")  # wrapped: the layers are those of a Keras model
    }
    created_alone = {key: kind for key, kind in classes.items() if kind is not None and kind.__module__.endswith(key[0])}
    del created_alone["feature_space", "Encoder"]  # it encodes images with a given network
    return created_alone


def create(kind):
    """Creates a tiny network with those arguments of `SMALL` that it accepts."""
    parameters = set(inspect.signature(kind).parameters)
    arguments = {name: value for name, value in SMALL.items() if name in parameters}
    if "backbone" in parameters:
        inputs = keras.Input(LARGER)
        arguments["backbone"] = networks.pretrained.Backbone(keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs)), LARGER)
    return kind(image_shape=LARGER, **arguments)


def policies(network):
    """Returns the policy of a network and of each of its layers, in order."""
    return [(type(layer).__name__, layer.dtype_policy.name) for layer in [network, *network._flatten_layers()]]


def instance_networks():
    generator = networks.mlp.Generator(SHAPE, latent_dim=8, width=4)
    yield networks.instance.Generator(generator, instance_dim=3, num_instances=2, embedding_dim=4)
    yield networks.instance.Discriminator(networks.mlp.Discriminator(SHAPE, width=4), instance_dim=3, embedding_dim=4)


@pytest.mark.parametrize("key", kinds(), ids="-".join)
def test_sublayers_have_the_policy_of_the_network(key):
    check(lambda: create(kinds()[key]))


def test_instance_conditioned_networks():
    for index in range(2):
        check(lambda index=index: list(instance_networks())[index])


def check(create_network):
    """Creates a network under one policy and restores it from its config under another: all policies are preserved."""
    with precision.policy("mixed_bfloat16"):
        network = create_network()
    expected = policies(network)
    assert expected[0][1] == "mixed_bfloat16"
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert policies(restored) == expected
    if isinstance(network, networks.Discriminator):
        assert {name for _, name in policies(network.class_head(3))} == {"mixed_bfloat16"}


def test_a_classifier():
    with precision.policy("mixed_bfloat16"):
        discriminator = networks.resnet.Discriminator(SHAPE, width=4)
        classifier = networks.Classifier(discriminator.body, SHAPE, 3)
    expected = policies(classifier)
    assert {name for _, name in expected} == {"mixed_bfloat16"}
    assert policies(averaging.clone_network(classifier)) == expected


def test_the_global_policy_is_restored_and_an_explicit_dtype_wins():
    dense = dtype_policy.policy("mixed_float16")
    with dense:
        assert keras.layers.Dense(1).compute_dtype == "float16"
    assert keras.config.dtype_policy().name == "float32"
    network = networks.dcgan.Generator(SHAPE, 4, width=4, dtype="mixed_bfloat16")
    assert {name for _, name in policies(network)} == {"mixed_bfloat16"}
    with precision.policy("mixed_bfloat16"):
        assert {name for _, name in policies(networks.dcgan.Generator(SHAPE, 4, width=4, dtype="float32"))} == {"float32"}


def test_a_loaded_half_precision_gan_trains_identically(tmp_path, images, labels):
    """All weights are equal after another step, averages included, although GAN(...) was created outside the policy."""
    with precision.policy("mixed_bfloat16"):
        pair = (
            networks.mlp.Generator(SHAPE, 4, 8, normalization="batch"),
            networks.mlp.Discriminator(SHAPE, 8, spectral_norm=True),
        )
    gan = ganlib.SemiSupervisedGAN(*pair, 3)
    gan.compile(adam(), adam())
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for model in (gan, loaded):
        assert policies(model.ema_generator) == policies(pair[0])
        assert {name for _, name in policies(model.classifier)} == {"mixed_bfloat16"}
        model.make_train_function()
        model.train_function(iter([(images[:8], labels[:8], images[8:16])]))
    assert same(weights(gan), weights(loaded))
    np.testing.assert_array_equal(gan.generate(4), loaded.generate(4))
