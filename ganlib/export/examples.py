"""A few inputs of a trained network and what it made of them when its training ended.

The training jobs write them beside the checkpoints, from the model in memory. What is exported or served later is compared with
them, so that a part of the model that was lost on the way is found.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.files import written_whole
from ganlib.models.adversarial import latents_for

NAME = "examples.npz"
COUNT = 16
EXACT, ROUNDED = 1e-4, 2e-2
"""How far outputs may lie from these examples: of float32 on a CPU, and where the training rounded otherwise."""


@dataclasses.dataclass(frozen=True)
class Examples:
    """What `read` returns.

    Attributes:
        step: the train step after which they were made.
        tolerance: what `difference` may be.
        inputs: a dict of arrays, as the main function of `ganlib.export.functions` takes them.
        outputs: a dict of arrays, as it returned them.
    """

    step: int
    tolerance: float
    inputs: dict
    outputs: dict


def of_classifier(model, source):
    """Examples of a model with a classifier, on images of a `ganlib.data.Source`, spread over all of it."""
    images = source.pick(np.linspace(0, source.num_examples - 1, min(COUNT, source.num_examples)).astype(int))
    return _of(model, model.classifier, {"images": images}, {"probabilities": model.classify(images)})


def of_gan(model):
    """Examples of a `ganlib.GAN`, of latents of seed 0 and, where it is conditional, of each label in turn."""
    latents, labels = latents_for(COUNT, model.generator.latent_dim, 0), model.labels_for(COUNT)
    inputs = {"latents": latents} | ({} if labels is None else {"labels": labels})
    return _of(model, model.ema_generator, inputs, {"images": np.clip(model.generate_from(latents, labels), -1.0, 1.0)})


def _of(model, network, inputs, outputs):
    exact = network.compute_dtype == "float32" and not tf.config.list_physical_devices("GPU")  # GPUs multiply in TF32
    return Examples(int(model.step.numpy()), EXACT if exact else ROUNDED, inputs, outputs)


def write(folder, examples):
    """Writes ``examples.npz``, whole or not at all, into a `pathlib.Path`."""
    arrays = {f"inputs/{name}": array for name, array in examples.inputs.items()}
    arrays |= {f"outputs/{name}": array for name, array in examples.outputs.items()}
    with written_whole(folder / NAME) as partial:
        np.savez_compressed(partial, step=examples.step, tolerance=examples.tolerance, **arrays)


def read(folder):
    """The `Examples` in a folder, a `pathlib.Path`; None where there are none.

    Raises:
        UserError: if the file is damaged.
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
    except Exception:  # a damaged file can fail anywhere
        raise UserError(f"{str(folder / NAME)!r} is damaged: run the training job, or the export, again") from None


def difference(examples, call):
    """How far a function is from examples: the mean absolute difference of an example's outputs, of that where it is largest.

    Args:
        examples: an `Examples`.
        call: a function of arrays by name, such as ``read`` of a format returns.

    Raises:
        UserError: if shapes differ.
    """
    outputs, largest = call(**examples.inputs), []
    for name, expected in examples.outputs.items():
        shape = np.shape(outputs.get(name))
        if shape != expected.shape:
            raise UserError(f"{name!r} has shape {shape} where the training's examples have {expected.shape}")
        distances = np.abs(expected.astype(np.float64) - outputs[name]).reshape(len(expected), -1).mean(axis=1)
        largest.append(distances.max())
    return float(np.max(largest))  # NaN, if one is


def check(examples, call, what):
    """The `difference`, a float.

    Args:
        examples: an `Examples`.
        call: as there.
        what: the function's name for the message, such as ``"the export in 'exported/digits'"``.

    Raises:
        UserError: if it is above the examples' tolerance.
    """
    found = difference(examples, call)
    if not found <= examples.tolerance:
        raise UserError(f"{what} is not the model that was trained: on its examples it differs by {found:.1e}, and "
                        f"{examples.tolerance:.1e} is allowed; export the run again, or train it again")  # fmt: skip
    return found
