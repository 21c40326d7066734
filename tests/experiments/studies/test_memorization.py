import numpy as np
import pytest

from experiments.studies import memorization
from ganlib import data, plots
from tests.helpers import mlp_gan


@pytest.mark.parametrize("num_classes", [None, 10])
def test_copies_are_training_images_of_the_requested_class(num_classes):
    source = data.open("digits")
    gan = memorization.copying_gan(source, 60, mlp_gan(num_classes=num_classes), seed=3)
    labels = None if num_classes is None else np.arange(300) % 10
    images = plots.to_uint8(gan.generate(300, labels))  # by the averaged generator
    classes = {bytes(image): label for image, label in zip(source.images, source.labels, strict=True)}
    assert {bytes(image) for image in images} <= set(classes)
    assert 30 < len({bytes(image) for image in images}) <= 60
    if num_classes:
        assert [classes[bytes(image)] for image in images] == labels.tolist()


def test_verdict_considers_the_direction_and_the_deviation():
    def rows(copies, trained, deviation):
        return {
            name: {"mean": {"x": value}, "std": {"x": deviation}} for name, value in (("copies", copies), ("trained", trained))
        }

    assert memorization.verdict(rows(1.0, 2.0, 0.1), "x", higher_is_better=False) == "better"
    assert memorization.verdict(rows(1.0, 2.0, 0.1), "x", higher_is_better=True) == "worse"
    assert memorization.verdict(rows(2.0, 1.0, 0.1), "x", higher_is_better=False) == "worse"
    assert memorization.verdict(rows(1.0, 2.0, 0.4), "x", higher_is_better=False) == "alike"
