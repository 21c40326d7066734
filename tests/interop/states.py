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
