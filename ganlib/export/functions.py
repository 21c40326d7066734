"""The functions of a trained network that are exported: named tensors in, named tensors out, with specs and example inputs."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ganlib.data import decoding
from ganlib.networks import base
from ganlib.training import RandomStream


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of a network.

    Attributes:
        name: The name of the function, such as ``"generate"``.
        call: A callable that takes tensors by the names of ``inputs`` and returns a dict of tensors.
        inputs: The `tf.TensorSpec` of each input. The first axis is the batch.
        example: A callable ``example(count, rng)`` that draws example inputs, a dict of numpy arrays, from a
            `numpy.random.Generator`.
    """

    name: str
    call: Callable
    inputs: tuple
    example: Callable

    def traced(self):
        """Returns the function as a `tf.function` for any batch size."""
        names = [spec.name for spec in self.inputs]
        return tf.function(
            lambda *tensors: self.call(**dict(zip(names, tensors, strict=True))), input_signature=self.inputs, autograph=False
        )


def of_model(model, class_names, background="white", fit="crop"):
    """Returns the averaged network of a trained model and its list of `Function`: the classifier if there is one, otherwise
    the generator.

    Args:
        model: A model from `ganlib.load`.
        class_names: The names of its classes.
        background: The color under transparent pixels of image files, as in training. Defaults to ``"white"``.
        fit: How image files of another shape are fitted, as in training. Defaults to ``"crop"``.
    """
    if hasattr(model, "classifier"):
        return model.classifier, of_classifier(model.classifier, class_names, background, fit)
    return model.ema_generator, of_generator(model.ema_generator)


def inputs_as_used(function, source, count, seed=0):
    """Returns a dict of realistic inputs: images of a source for a classifier, latents for a generator.

    Args:
        function: A `Function`.
        source: A `ganlib.data.Source`.
        count: The number of inputs.
        seed: An integer that determines the inputs. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    if function.name == "generate":
        return function.example(count, rng)
    return {"images": source.pick(rng.permutation(source.num_examples)[:count])}


def of_generator(generator):
    """Returns the functions of a generator.

    ``generate`` takes ``latents``, ``(n, latent_dim)`` float32, and, if the generator is conditional, ``labels``, ``(n,)``
    int64, or ``(n, F)`` float32 features if it is conditioned on features. ``generate_from_seed`` takes ``seed`` and
    ``count``, scalar int64, and ``labels`` of length ``count`` or 1, and returns the images that ``GAN.generate``
    returns for that seed. Both return ``images``: ``(n, height, width, channels)`` float32 in ``[-1, 1]``.
    ``latents_from_seed`` returns ``latents``.

    Args:
        generator: A `ganlib.networks.Generator`.

    Returns:
        A list of `Function`, the main one first.
    """
    latents = tf.TensorSpec((None, generator.latent_dim), tf.float32, "latents")
    labels = ()
    if generator.condition_spec:
        shape, dtype = generator.condition_spec
        labels = (tf.TensorSpec((None, *shape), dtype, "labels"),)

    def generate(latents, **labels):
        return {"images": tf.clip_by_value(generator(latents, *labels.values(), training=False), -1.0, 1.0)}

    def latents_from_seed(seed, count):
        return {"latents": RandomStream(seed).normal((tf.cast(count, tf.int32), generator.latent_dim))}

    def generate_from_seed(seed, count, **labels):
        broadcast = {name: tf.broadcast_to(value, [count, *value.shape[1:]]) for name, value in labels.items()}
        return generate(latents_from_seed(seed, count)["latents"], **broadcast)

    def example(count, rng):
        inputs = {"latents": rng.normal(size=(count, generator.latent_dim)).astype(np.float32)}
        return inputs | _example_labels(generator, count, rng)

    def seeds(count, rng):
        return {"seed": np.int64(rng.integers(1000)), "count": np.int64(count)}

    def seeds_and_labels(count, rng):
        return seeds(count, rng) | _example_labels(generator, count, rng)

    scalars = tuple(tf.TensorSpec((), tf.int64, name) for name in ("seed", "count"))
    return [
        Function("generate", generate, (latents, *labels), example),
        Function("generate_from_seed", generate_from_seed, (*scalars, *labels), seeds_and_labels),
        Function("latents_from_seed", latents_from_seed, scalars, seeds),
    ]


def of_classifier(classifier, class_names, background="white", fit="crop"):
    """Returns the functions of a classifier.

    ``classify`` takes ``images``, ``(n, height, width, channels)`` uint8. ``classify_files`` takes ``image_bytes``, ``(n,)``
    strings, the contents of PNG, JPEG, GIF or BMP files, and resizes them: see `ganlib.data.decoding`. Both return
    calibrated ``probabilities``, ``(n, num_classes)`` float32. ``classify_files`` also returns the name of the most probable
    ``class``, ``(n,)`` strings.

    Args:
        classifier: A `ganlib.Classifier`.
        class_names: The names of its classes.
        background: The color under transparent pixels of image files, as in training. Defaults to ``"white"``.
        fit: How image files of another shape are fitted, as in training. Defaults to ``"crop"``.

    Returns:
        A list of `Function`, the main one first.
    """
    shape = classifier.image_shape

    def classify(images):
        logits = classifier(base.rescale(images), training=False)
        return {"probabilities": tf.nn.softmax(logits / tf.cast(classifier.temperature, tf.float32))}

    def classify_files(image_bytes):
        images = tf.map_fn(
            lambda content: decoding.decoded(content, shape, background, fit),
            image_bytes,
            fn_output_signature=tf.TensorSpec(shape, tf.uint8),
        )
        probabilities = classify(images)["probabilities"]
        return {"probabilities": probabilities, "class": tf.gather(tf.constant(class_names), tf.argmax(probabilities, axis=-1))}

    def example(count, rng):
        return {"images": rng.integers(0, 256, (count, *shape), np.uint8)}

    def example_files(count, rng):
        images = example(count, rng)["images"]
        return {"image_bytes": np.array([tf.io.encode_png(image).numpy() for image in images], object)}

    return [
        Function("classify", classify, (tf.TensorSpec((None, *shape), tf.uint8, "images"),), example),
        Function("classify_files", classify_files, (tf.TensorSpec((None,), tf.string, "image_bytes"),), example_files),
    ]


def _example_labels(generator, count, rng):
    if not generator.condition_spec:
        return {}
    return {"labels": generator.labels_for(count, rng.integers(0, generator.num_conditions, count))}
