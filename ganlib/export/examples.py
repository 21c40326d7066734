"""Reference examples: a few inputs of a trained network, with the outputs that it gave at the end of its training.

The training jobs write them next to the checkpoints, from the model in memory. Exports and services are later compared with
them, to detect a part of the model that saving or loading has lost.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.files import written_whole
from ganlib.training.latents import latents_for

NAME = "examples.npz"
COUNT = 16
EXACT, ROUNDED = 1e-4, 2e-2
"""Tolerances of the outputs: for training in float32 on a CPU, and for training that rounds differently."""


@dataclasses.dataclass(frozen=True)
class Examples:
    """Inputs and reference outputs of a network.

    Attributes:
        step: The train step after which the outputs were computed.
        tolerance: The largest permitted `difference`.
        inputs: A dict of arrays, the inputs of the main function of `ganlib.export.functions`.
        outputs: A dict of arrays, the outputs of this function.
    """

    step: int
    tolerance: float
    inputs: dict
    outputs: dict


def of_classifier(model, source):
    """Creates the examples of a model with a classifier, on images spread evenly over a `ganlib.data.Source`."""
    images = source.pick(np.linspace(0, source.num_examples - 1, min(COUNT, source.num_examples)).astype(int))
    return _create(model, model.classifier, {"images": images}, {"probabilities": model.classify(images)})


def of_gan(model):
    """Creates the examples of a `ganlib.GAN`, on the latents of seed 0 and, if it is conditional, on each label in turn."""
    latents, labels = latents_for(COUNT, model.generator.latent_dim, 0), model.labels_for(COUNT)
    inputs = {"latents": latents} | ({} if labels is None else {"labels": labels})
    return _create(model, model.ema_generator, inputs, {"images": np.clip(model.generate_from(latents, labels), -1.0, 1.0)})


def _create(model, network, inputs, outputs):
    exact = network.compute_dtype == "float32" and not tf.config.list_physical_devices("GPU")  # GPUs multiply in TF32
    return Examples(int(model.step.numpy()), EXACT if exact else ROUNDED, inputs, outputs)


def write(folder, examples):
    """Writes ``examples.npz`` atomically to a folder, a `pathlib.Path`."""
    arrays = {f"inputs/{name}": array for name, array in examples.inputs.items()}
    arrays |= {f"outputs/{name}": array for name, array in examples.outputs.items()}
    with written_whole(folder / NAME) as partial:
        np.savez_compressed(partial, step=examples.step, tolerance=examples.tolerance, **arrays)


def read(folder):
    """Reads the `Examples` in a folder, a `pathlib.Path`. Returns None if there are none.

    Raises:
        UserError: If the file is damaged.
    """
    if not (folder / NAME).exists():
        return None
    try:
        with np.load(folder / NAME) as arrays:
            inputs, outputs = (
                {name.removeprefix(kind): arrays[name] for name in arrays if name.startswith(kind)}
                for kind in ("inputs/", "outputs/")
            )
            return Examples(int(arrays["step"]), float(arrays["tolerance"]), inputs, outputs)
    except Exception:  # a damaged file can raise any exception
        raise UserError(f"{str(folder / NAME)!r} is damaged: run the training job or the export again") from None


def difference(examples, call):
    """Computes the difference between a function and the examples.

    It is the mean absolute difference of the outputs of one example, maximized over the examples.

    Args:
        examples: An `Examples`.
        call: A function of arrays by name, such as one returned by the ``read`` of a format.

    Returns:
        The difference, a float.

    Raises:
        UserError: If the shapes differ.
    """
    outputs, largest = call(**examples.inputs), []
    for name, expected in examples.outputs.items():
        shape = np.shape(outputs.get(name))
        if shape != expected.shape:
            raise UserError(f"{name!r} has shape {shape}, but the examples from training have shape {expected.shape}")
        distances = np.abs(expected.astype(np.float64) - outputs[name]).reshape(len(expected), -1).mean(axis=1)
        largest.append(distances.max())
    return float(np.max(largest))  # NaN if any of them is NaN


def check(examples, call, what):
    """Checks that a function reproduces the examples, and returns the `difference`.

    Args:
        examples: An `Examples`.
        call: A function of arrays by name, as in `difference`.
        what: The name of the function for the message, such as ``"the export in 'exported/digits'"``.

    Raises:
        UserError: If the difference exceeds the tolerance of the examples.
    """
    value = difference(examples, call)
    if not value <= examples.tolerance:
        raise UserError(
            f"{what} is not the model that was trained: on the examples from training it differs by {value:.1e}, and the "
            f"tolerance is {examples.tolerance:.1e}; export the run again, or train it again"
        )
    return value
