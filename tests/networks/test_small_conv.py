import numpy as np
import pytest

import ganlib
from ganlib.networks import Classifier, improved_conv, small_conv


def test_parameters_counted_by_hand():
    discriminator = small_conv.Discriminator((28, 28, 1), width=32)
    classifier = Classifier(discriminator.body, (28, 28, 1), 10, discriminator.class_head(10))
    kernels = [(5, 1, 32), (3, 32, 32), (3, 32, 64), (3, 64, 64), (3, 64, 128)]
    expected = sum(k * k * a * b + b for k, a, b in kernels) + 128 * 10 + 10 + 10
    assert sum(v.value.shape.num_elements() for v in classifier.trainable_variables) == expected


def test_sizes_are_those_of_its_generator():
    for size in improved_conv.STAGES:
        images = small_conv.Generator((size, size, 1), 4, width=2)(np.zeros((3, 4), np.float32))
        assert small_conv.Discriminator((size, size, 1), width=2)(images).shape == (3,)
    with pytest.raises(ganlib.UserError, match="small_conv cannot make images of 20x20: its sizes are 16, 28, 32"):
        small_conv.Discriminator((20, 20, 1))
