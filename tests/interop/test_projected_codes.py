"""FastGAN, Projected GAN and R3GAN from arrays by the authors' names. Their numbers are compared in tests/parity."""

import numpy as np
import pytest

import ganlib
from experiments.studies.parity.projected import backbone_state
from ganlib import interop
from ganlib.networks import fastgan

RNG = np.random.default_rng(0)


def normalized(state, name, *shape):
    """Adds the arrays of a convolution with spectral normalization."""
    state[f"{name}.weight_orig"] = RNG.normal(size=shape)
    state[f"{name}.weight_u"], state[f"{name}.weight_v"] = (RNG.normal(size=n) for n in (shape[0], int(np.prod(shape[1:]))))


def norm(state, name, channels, mean="running_mean", variance="running_var", affine=True):
    names = ("weight", "bias") if affine else ()
    state.update({f"{name}.{part}": RNG.uniform(0.5, 1.5, channels) for part in (*names, mean, variance)})


def light_generator(classes=None, size=128, width=4, latent_dim=6):
    """The arrays of ``pg_modules.networks_fastgan.Generator`` in its lite form."""
    channels = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5}
    channels, state = {side: int(share * width) for side, share in channels.items()}, {}
    state["synthesis.init.init.0.weight_orig"] = RNG.normal(size=(latent_dim, 2 * channels[4], 4, 4))
    state["synthesis.init.init.0.weight_u"] = RNG.normal(size=2 * channels[4])
    state["synthesis.init.init.0.weight_v"] = RNG.normal(size=16 * latent_dim)
    norm(state, "synthesis.init.init.1", 2 * channels[4])
    for before, side in zip(channels, [*channels][1:], strict=False):
        name, filters = f"synthesis.feat_{side}", 2 * channels[side]
        normalized(state, f"{name}.{'conv' if classes else '1'}", filters, channels[before], 3, 3)
        if classes:
            norm(state, f"{name}.bn", filters, "stored_mean", "stored_var", affine=False)
            for part in ("gain", "bias"):
                normalized(state, f"{name}.bn.{part}", filters, latent_dim)
                state[f"{name}.bn.{part}.bias"] = RNG.normal(size=filters)
        else:
            norm(state, f"{name}.2", filters)
    for coarse, fine in ((4, 64), (8, 128), (16, 256)):
        normalized(state, f"synthesis.se_{fine}.main.1", channels[fine], channels[coarse], 4, 4)
        normalized(state, f"synthesis.se_{fine}.main.3", channels[fine], channels[fine], 1, 1)
    normalized(state, "synthesis.to_big", 3, channels[size], 3, 3)
    state["synthesis.to_big.bias"] = RNG.normal(size=3)
    if classes:
        state["synthesis.embed.weight"] = RNG.normal(size=(classes, latent_dim))
    return state


@pytest.mark.parametrize("code", ["fastgan", "projected_gan"])
@pytest.mark.parametrize(("classes", "size"), [(None, 128), (3, 256)])
def test_sizes_of_a_light_generator_are_inferred(code, classes, size):
    generator = interop.generator(code, light_generator(classes, size))
    sizes = generator.image_shape, generator.latent_dim, generator.width, generator.num_classes, generator.light
    assert sizes == ((size, size, 3), 6, 4, classes, True)
    latents, labels = RNG.normal(size=(2, 6)).astype(np.float32), (np.arange(2),) if classes else ()
    assert np.ptp(np.asarray(generator(latents, *labels, training=True))) > 0


def test_a_generator_of_another_shape_is_rejected():
    state = light_generator()
    state["synthesis.feat_8.1.weight_orig"] = np.zeros((3, 3, 3, 3))
    with pytest.raises(ganlib.UserError, match="'synthesis.feat_8.1.weight_orig' of this fastgan network does not fit"):
        interop.generator("fastgan", state)
    with pytest.raises(ganlib.UserError, match="not a generator of FastGAN: its last convolution takes 7 channels"):
        interop.generator("fastgan", light_generator() | {"synthesis.to_big.weight_orig": np.zeros((3, 7, 3, 3))})
    with pytest.raises(ganlib.UserError, match="this is not a network of fastgan: it has no array 'synthesis.init"):
        interop.generator("fastgan", {"init.init.0.weight_orig": np.zeros(3)})
    with pytest.raises(ganlib.UserError, match="the code fastgan has no discriminator: use projected_gan"):
        interop.discriminator("fastgan", state)
    with pytest.raises(ganlib.UserError, match="1 arrays of this fastgan network are left over: synthesis.extra"):
        interop.generator("fastgan", light_generator() | {"synthesis.extra": np.zeros(3)})


def discriminator(classes=None, width=4):
    """The arrays of ``pg_modules.discriminator.ProjectedDiscriminator`` with an EfficientNet-Lite0."""
    state, mixed = backbone_state(), [width, 2 * width, 4 * width, 8 * width]
    for scale, inputs in enumerate((24, 40, 112, 320)):
        outputs = mixed[max(scale - 1, 0)]
        for name, shape in (("ccm", (mixed[scale], inputs)), ("csm.out_conv", (outputs, mixed[scale]))):
            state[f"feature_network.scratch.layer{scale}_{name}.weight"] = RNG.normal(size=(*shape, 1, 1))
            state[f"feature_network.scratch.layer{scale}_{name}.bias"] = RNG.normal(size=shape[0])
        name, channels = f"discriminator.mini_discs.{scale}", outputs
        for index, filters in enumerate([width, 2 * width, 4 * width, 8 * width][scale:]):
            normalized(state, f"{name}.main.{index}.main.0", filters, channels, 4, 4)
            state[f"{name}.main.{index}.main.0.bias"] = RNG.normal(size=filters)
            norm(state, f"{name}.main.{index}.main.1", filters)
            state[f"{name}.main.{index}.main.1.num_batches_tracked"] = np.array(3)
            channels = filters
        if classes:
            normalized(state, f"{name}.cls", 64, channels, 4, 4)
            state[f"{name}.embed.weight"] = RNG.normal(size=(classes, 128))
            state[f"{name}.embed_proj.0.weight"], state[f"{name}.embed_proj.0.bias"] = RNG.normal(size=(64, 128)), np.zeros(64)
        else:
            normalized(state, f"{name}.main.{4 - scale}", 1, channels, 4, 4)
    return state


@pytest.mark.parametrize("classes", [None, 3])
def test_sizes_of_a_discriminator_are_inferred(classes):
    state = discriminator(classes)
    network = interop.discriminator("projected_gan", state)
    assert (network.width, network.num_classes, network.constant_width) == (4, classes, None)
    last = network.backbone.network.get_layer("stage7_block1_narrow").kernel
    expected = state["feature_network.pretrained.layer3.1.0.conv_pwl.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_allclose(last, expected, rtol=1e-6)
    if classes:
        np.testing.assert_allclose(
            network.scales[2].embedding.embeddings, state["discriminator.mini_discs.2.embed.weight"], rtol=1e-6
        )


def test_a_discriminator_of_another_shape_is_rejected():
    state = discriminator()
    lacking = {name: value for name, value in state.items() if "layer1.0.1" not in name}
    with pytest.raises(ganlib.UserError, match="its EfficientNet-Lite has 1 blocks in stage 3"):
        interop.discriminator("projected_gan", lacking)
    separable = state | {"discriminator.mini_discs.0.main.0.main.0.depthwise.weight_orig": np.zeros(3)}
    with pytest.raises(ganlib.UserError, match="separable convolutions, which ganlib does not have"):
        interop.discriminator("projected_gan", separable)


def test_r3gans_of_another_shape_are_rejected():
    with pytest.raises(ganlib.UserError, match="this is not a network of r3gan: it has no residual blocks"):
        interop.generator("r3gan", {"a": np.zeros(3)})
    block = "MainLayers.{}.Layers.1.LinearLayer"
    state = {f"{block.format(stage)}1.Layer.weight": np.zeros((16, 8, 1, 1)) for stage in (0, 1)}
    state |= {f"{block.format(stage)}2.Layer.weight": np.zeros((16, 2 + stage, 3, 3)) for stage in (0, 1)}
    state |= {"AggregationLayer.Layer.weight": np.zeros((3, 8, 1, 1)), "MainLayers.0.Layers.0.Basis": np.zeros((8, 4, 4))}
    state["MainLayers.0.Layers.0.LinearLayer.weight"] = np.zeros((8, 6))
    with pytest.raises(ganlib.UserError, match=r"r3gan networks have groups of one width, this one has \[2, 3\]"):
        interop.generator("r3gan", state)


def test_the_stages_of_fastgan_are_those_of_the_code():
    assert [int(share * 8) for share in fastgan.WIDTHS[:7]] == [128, 64, 32, 16, 16, 8, 4]
