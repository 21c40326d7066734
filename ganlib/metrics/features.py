"""What turns images into features and class probabilities for the measures.

=======================  ==========================================================================================
name                     network
=======================  ==========================================================================================
``inception_2015``       the frozen graph that published FIDs and Inception scores use; ``inception_2015:PATH``
``inception_v3``         InceptionV3 of `keras.applications`, trained on ImageNet; other numbers than published ones
``applications:NAME``    any network of `keras.applications` trained on ImageNet, such as ``applications:MobileNetV2``
``in_domain``            a small classifier that `ganlib.metrics.in_domain` trains on the real images themselves
``model:PATH``           a ``.keras`` file of yours
=======================  ==========================================================================================

All of them take uint8 images. Gray images are repeated into three channels where the network wants color, and
color is turned to gray (ITU-R 601 luma) where it wants gray. Except for the 2015 graph, which resizes by itself,
images are resized as Pillow's bicubic filter does.
"""

import keras
import tensorflow as tf

from ganlib import versions
from ganlib.errors import UserError, choose
from ganlib.metrics import in_domain, inception_2015
from ganlib.metrics.extractor import FeatureExtractor
from ganlib.networks import Classifier, Discriminator, pretrained


def get(name, source=None, cache_dir=None):
    """A feature extractor by name; the names are in the module's docstring.

    Args:
        name: a name, a keras model, or a `FeatureExtractor`, which is returned unchanged.
        source: the real training images, for ``in_domain``.
        cache_dir: where in-domain classifiers are kept; None takes `ganlib.metrics.cache.default_folder`.

    Raises:
        UserError: for an unknown name, or weights that are not there and cannot be downloaded.
    """
    if isinstance(name, FeatureExtractor):
        return name
    if isinstance(name, keras.Model):
        return from_model(name, name.name)
    if not isinstance(name, str):
        raise UserError(f"features are a name, such as 'in_domain', or a Keras model, got {name!r:.60}")
    kind, _, argument = name.partition(":")
    makers = {
        "inception_2015": lambda: inception_2015.load(argument or None),
        "inception_v3": lambda: application("InceptionV3"),
        "applications": lambda: application(argument),
        "in_domain": lambda: _in_domain(source, cache_dir),
        "model": lambda: from_file(argument),
    }
    return choose("features", kind, makers)()


def application(name, weights="imagenet"):
    """A network of `keras.applications` by the name of its function there, such as ``"MobileNetV2"``.

    Args:
        name: the function's name.
        weights: ``"imagenet"``, the path of a weights file, or None for random ones.

    Raises:
        UserError: for an unknown name, or weights that are neither there nor to be downloaded.
    """
    model, module = pretrained.make(name, weights=weights)
    pooled = [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)]
    before_classes = pooled[-1] if pooled else model.layers[-2]  # VGG has no pooling, but layers of units
    outputs = {"features": before_classes.output, "probabilities": model.output}
    network = keras.Model(model.input, {key: keras.layers.Flatten()(value) for key, value in outputs.items()})
    size = model.input_shape[1]
    return FeatureExtractor(
        f"applications:{name}",
        versions.of(versions.of_model(network), module.__name__, keras.__version__),
        lambda images: network(module.preprocess_input(images), training=False),
        channels=3,
        size=size,
    )


def from_file(path):
    """The model in a ``.keras`` file as a feature extractor: see `from_model`.

    Raises:
        UserError: if there is no such file, or it holds no model.
    """
    return from_model(pretrained.from_file(path), f"model:{path}")


def from_model(model, name):
    """A keras model as a feature extractor.

    Args:
        model: takes images with pixel values in ``[0, 255]`` and returns ``(n, F)`` features, or a dict with
            ``"features"`` and ``"probabilities"``. Of a `ganlib.Classifier` both are taken, of a
            `ganlib.networks.Discriminator` the features.
        name: what to call it in results.

    Raises:
        UserError: for a model that takes no square images in gray or color, or gives no features.
    """
    if isinstance(model, (Classifier, Discriminator)):
        size, _, channels = model.image_shape

        def network(images):
            features = model.features(images / 127.5 - 1.0)
            if isinstance(model, Discriminator):
                return {"features": features}
            # From the features, so that the body runs once.
            return {"features": features, "probabilities": tf.nn.softmax(model.class_logits(features))}
    else:
        size, channels = _input_of(model, name)

        def network(images):
            outputs = model(images, training=False)
            return outputs if isinstance(outputs, dict) else {"features": outputs}

    version = versions.of(versions.of_model(model), versions.of_code("metrics/features.py"))
    return FeatureExtractor(name, version, network, channels, size)


def _input_of(model, name):
    """``(size, channels)`` of a model's images, each None where it takes any."""
    shape = getattr(model, "input_shape", None) if model.built else None
    fits = isinstance(shape, tuple) and len(shape) == 4 and shape[1] == shape[2] and shape[3] in (1, 3, None)
    if not fits:
        raise UserError(f"features {name!r} must be of a model of square images in gray or color, but it takes {shape}")
    outputs = model.compute_output_spec(keras.KerasTensor(shape))
    features = outputs.get("features") if isinstance(outputs, dict) else outputs
    if len(getattr(features, "shape", ())) != 2:
        raise UserError(f"features {name!r} must be (n, F), alone or as 'features' in a dict: add keras.layers.Flatten()")
    return shape[1], shape[3]


def _in_domain(source, cache_dir):
    if source is None:
        raise UserError("in_domain features are of a classifier of the real images: give their source")
    return from_model(in_domain.load(source, cache_dir), f"in_domain:{source.name}")
