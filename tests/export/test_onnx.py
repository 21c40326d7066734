"""ONNX files in programs other than onnxruntime."""

import numpy as np
import pytest

from ganlib import export
from ganlib.networks import Classifier, dcgan
from tests.export.test_formats import SHAPE, written


def test_opencv_runs_a_classifier(tmp_path):
    cv2 = pytest.importorskip("cv2")
    classifier = Classifier(dcgan.Discriminator(SHAPE, 8).body, SHAPE, 3)
    written("onnx", export.functions.of_classifier(classifier, ["a", "b", "c"]), classifier, tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), np.uint8)
    network = cv2.dnn.readNetFromONNX(str(tmp_path / export.onnx.NAME))
    network.setInput(images)
    np.testing.assert_allclose(network.forward(), classifier.classify(images), atol=1e-4)
