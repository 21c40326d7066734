"""Small states with the names, shapes and layouts of the authors' codes. tests/parity compares numbers of these codes."""

import numpy as np


def mimicry_generator(width=4, latent_dim=6, num_classes=None, seed=0):
    """Returns the state of mimicry's generator at 32x32."""
    rng, state = np.random.default_rng(seed), {}

    def layer(name, *shape):
        state[f"{name}.weight"] = rng.normal(0, 0.2, shape).astype(np.float32)
        state[f"{name}.bias"] = rng.normal(0, 0.2, shape[:1]).astype(np.float32)

    def norm(name, channels, prefix=""):
        state[f"{name}{prefix}.running_mean"] = rng.normal(0, 0.1, channels).astype(np.float32)
        state[f"{name}{prefix}.running_var"] = rng.uniform(0.5, 1.5, channels).astype(np.float32)
        state[f"{name}{prefix}.num_batches_tracked"] = np.array(3)

    layer("l1", 16 * width, latent_dim)
    for block in ("block2", "block3", "block4"):
        layer(f"{block}.c1", width, width, 3, 3)
        layer(f"{block}.c2", width, width, 3, 3)
        layer(f"{block}.c_sc", width, width, 1, 1)
        for name in (f"{block}.b1", f"{block}.b2"):
            if num_classes:
                state[f"{name}.embed.weight"] = rng.normal(1, 0.2, (num_classes, 2 * width)).astype(np.float32)
                norm(name, width, ".bn")
            else:
                layer(name, width)
                norm(name, width)
    layer("b5", width)
    norm("b5", width)
    layer("c5", 3, width, 3, 3)
    return state


def mimicry_discriminator(width=4, seed=0):
    """Returns the state of mimicry's discriminator at 32x32."""
    rng, state = np.random.default_rng(seed), {}

    def layer(name, *shape):
        state[f"{name}.weight_orig"] = rng.normal(0, 0.2, shape).astype(np.float32)
        state[f"{name}.bias"] = rng.normal(0, 0.2, shape[:1]).astype(np.float32)
        for vector, size in (("u", shape[0]), ("v", int(np.prod(shape[1:])))):
            value = rng.normal(size=size)
            state[f"{name}.weight_{vector}"] = (value / np.linalg.norm(value)).astype(np.float32)

    for index in range(1, 5):
        channels = 3 if index == 1 else width
        layer(f"block{index}.c1", width, channels, 3, 3)
        layer(f"block{index}.c2", width, width, 3, 3)
        if index <= 2:
            layer(f"block{index}.c_sc", width, channels, 1, 1)
    layer("l5", 1, width)
    return state


def _dense(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def stylegan2_generator_shapes(size, base, width, layers, classes, latent_dim=6):
    """Returns name -> shape of a generator with constants for the resampling filters."""
    shapes = _dense("mapping.fc0", latent_dim * (2 if classes else 1), latent_dim) | {"mapping.w_avg": (latent_dim,)}
    for index in range(1, layers):
        shapes |= _dense(f"mapping.fc{index}", latent_dim, latent_dim)
    if classes:
        shapes |= _dense("mapping.embed", classes, latent_dim)
    before, side = None, 4
    while side <= size:
        channels, block = min(base // side, width), f"synthesis.b{side}"
        if before is None:
            shapes[f"{block}.const"] = (channels, 4, 4)
        shapes[f"{block}.resample_filter"] = (4, 4)
        convs = {"conv1": channels} if before is None else {"conv0": before, "conv1": channels}
        for name, inputs in convs.items():
            shapes |= _dense(f"{block}.{name}.affine", latent_dim, inputs)
            shapes |= {f"{block}.{name}.weight": (channels, inputs, 3, 3), f"{block}.{name}.bias": (channels,)}
            shapes |= {f"{block}.{name}.noise_strength": (), f"{block}.{name}.noise_const": (side, side)}
        shapes |= _dense(f"{block}.torgb.affine", latent_dim, channels)
        shapes |= {f"{block}.torgb.weight": (3, channels, 1, 1), f"{block}.torgb.bias": (3,)}
        before, side = channels, 2 * side
    return shapes


def stylegan2_discriminator_shapes(size, base, width, classes, residual):
    channels, side, shapes = min(base // size, width), size, {}
    shapes |= {f"b{size}.fromrgb.weight": (channels, 3, 1, 1), f"b{size}.fromrgb.bias": (channels,)}
    while side > 4:
        after = min(base // (side // 2), width)
        shapes |= {f"b{side}.conv0.weight": (channels, channels, 3, 3), f"b{side}.conv0.bias": (channels,)}
        shapes |= {f"b{side}.conv1.weight": (after, channels, 3, 3), f"b{side}.conv1.bias": (after,)}
        shapes |= {f"b{side}.skip.weight": (after, channels, 1, 1)} if residual else {}
        channels, side = after, side // 2
    shapes |= {"b4.conv.weight": (channels, channels + 1, 3, 3), "b4.conv.bias": (channels,)}
    shapes |= _dense("b4.fc", 16 * channels, channels) | _dense("b4.out", channels, channels if classes else 1)
    if classes:
        shapes |= _dense("mapping.embed", classes, channels)
        for index in range(8):
            shapes |= _dense(f"mapping.fc{index}", channels, channels)
    return shapes


def from_shapes(shapes, seed=0):
    """Returns name -> random array for name -> shape."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
