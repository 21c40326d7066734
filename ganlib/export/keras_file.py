"""The network itself as a .keras file, which Keras runs on TensorFlow, PyTorch or JAX, where ganlib is installed."""

import keras
import numpy as np

from ganlib.networks import Classifier

NAME = "network.keras"


def write(functions, network, path):
    """Writes the network; ``functions`` are not part of it."""
    network.save(path)


def read(path):
    """The main function: see `ganlib.export.saved_model.read`."""
    network = keras.saving.load_model(path, compile=False)
    if isinstance(network, Classifier):
        return {"classify": lambda images: {"probabilities": network.classify(images)}}

    def generate(latents, **labels):
        images = network(latents, *labels.values(), training=False)
        return {"images": np.clip(keras.ops.convert_to_numpy(images), -1.0, 1.0)}

    return {"generate": generate}
