"""Every network computes in its own precision, wherever it is made again. The folder of networks is the list."""

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
LARGER = (16, 16, 1)  # which all of them can make
SMALL = {"latent_dim": 21, "width": 4, "num_classes": 3, "attention": 8, "mapping_layers": 1, "normalization": "batch"}


def kinds():
    """Every class of networks that can be made alone, once."""
    found = {
        (name, which): vars(module).get(which)
        for name, module in MODULES.items()
        for which in ("Generator", "Discriminator")
        if name not in ("base", "equalized", "instance")
    }
    return {key: kind for key, kind in found.items() if kind is not None and kind.__module__.endswith(key[0])}


def made(kind):
    """A tiny network of a class, with those of `SMALL` that it takes."""
    known = set(inspect.signature(kind).parameters)
    own = {name: value for name, value in SMALL.items() if name in known}
    if "backbone" in known:
        inputs = keras.Input(LARGER)
        own["backbone"] = networks.pretrained.Backbone(keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs)), LARGER)
    return kind(image_shape=LARGER, **own)


def policies(network):
    """The precision of a network and of each layer inside, by its place."""
    return [(type(layer).__name__, layer.dtype_policy.name) for layer in [network, *network._flatten_layers()]]


def of_instances():
    generator = networks.mlp.Generator(SHAPE, latent_dim=8, width=4)
    yield networks.instance.Generator(generator, instance_dim=3, num_instances=2, embedding_dim=4)
    yield networks.instance.Discriminator(networks.mlp.Discriminator(SHAPE, width=4), instance_dim=3, embedding_dim=4)


@pytest.mark.parametrize("key", kinds(), ids="-".join)
def test_inside_as_outside(key):
    check(lambda: made(kinds()[key]))


def test_conditioned_on_instances():
    for index in range(2):
        check(lambda index=index: list(of_instances())[index])


def check(make):
    """Made under a policy, and made again from its config under another: the same inside."""
    with precision.policy("mixed_bfloat16"):
        network = make()
    wanted = policies(network)
    assert wanted[0][1] == "mixed_bfloat16"
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert policies(again) == wanted
    if isinstance(network, networks.Discriminator):
        assert {name for _, name in policies(network.class_head(3))} == {"mixed_bfloat16"}


def test_a_classifier_too():
    with precision.policy("mixed_bfloat16"):
        discriminator = networks.resnet.Discriminator(SHAPE, width=4)
        classifier = networks.Classifier(discriminator.body, SHAPE, 3)
    wanted = policies(classifier)
    assert {name for _, name in wanted} == {"mixed_bfloat16"}
    assert policies(averaging.clone_network(classifier)) == wanted


def test_a_policy_is_given_back_and_no_other_than_the_own_is_taken():
    dense = dtype_policy.policy("mixed_float16")
    with dense:
        assert keras.layers.Dense(1).compute_dtype == "float16"
    assert keras.config.dtype_policy().name == "float32"
    network = networks.dcgan.Generator(SHAPE, 4, width=4, dtype="mixed_bfloat16")
    assert {name for _, name in policies(network)} == {"mixed_bfloat16"}
    with precision.policy("mixed_bfloat16"):
        assert {name for _, name in policies(networks.dcgan.Generator(SHAPE, 4, width=4, dtype="float32"))} == {"float32"}


def test_a_half_precision_gan_goes_on_as_before_when_it_is_loaded(tmp_path, images, labels):
    """All of its weights are equal after one more step, averages and all; GAN(...) itself was called outside the policy."""
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
