import pytest
import tensorflow as tf

from experiments.benchmarks import steps

WIDTH, BATCH = 4, 8


def forward_flops():
    """FLOPs of one image through the generator and the discriminator of width w at 32x32. A multiply-add counts as two.

    A 4x4 convolution with stride 2 from a to b channels on an s x s output costs 2 * 16 * a * b * s^2, and so does its
    transpose, where s is the smaller side.
    """
    w = WIDTH
    conv = lambda a, b, side: 2 * 16 * a * b * side**2  # noqa: E731
    generator = 2 * 128 * 16 * 4 * w + conv(4 * w, 2 * w, 4) + conv(2 * w, w, 8) + conv(w, 3, 16)
    first, others = conv(3, w, 16), conv(w, 2 * w, 8) + conv(2 * w, 4 * w, 4) + 2 * 16 * 4 * w
    return generator, 2 * 128 * 16 * 4 * w, first, others


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("update", ["alternating", "reuse", "simultaneous"])
def test_flops_of_a_step_counted_by_hand(update, policy):
    generator, dense, first, others = forward_flops()
    # The gradients of weights and of inputs each cost as much as the forward pass. The first layers need no input gradient.
    generator_update = 3 * generator - dense  # forward and backward
    discriminator_update = 2 * (3 * others + 2 * first)  # real and generated images, no gradient of the images
    discriminator_pass = 2 * (others + first)  # forward, and backward to the generated images
    if update == "alternating":
        expected = generator + discriminator_update + generator_update + discriminator_pass
    elif update == "reuse":
        expected = discriminator_update + generator_update + discriminator_pass
    else:
        expected = generator_update + discriminator_update + others + first
    batch = tf.TensorSpec((BATCH, *steps.IMAGE_SHAPE), tf.uint8)
    flops = steps.step_flops(steps.make_gan(update, policy, WIDTH), batch)
    assert flops == pytest.approx(BATCH * expected, rel=0.01)
