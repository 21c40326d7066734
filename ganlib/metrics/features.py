"""Feature networks for the metrics, by name: they map images to features and class probabilities.

=======================  ==========================================================================================
name                     network
=======================  ==========================================================================================
``inception_2015``       the frozen graph used for published FIDs and Inception scores; ``inception_2015:PATH``
``inception_2015_clean`` the same, with the resizing of clean-FID; ``inception_2015_clean:PATH``
``inception_v3``         InceptionV3 of `keras.applications`, trained on ImageNet; the numbers differ from published ones
``applications:NAME``    any network of `keras.applications` trained on ImageNet, such as ``applications:MobileNetV2``
``efficientnet_lite0``   EfficientNet-Lite0, trained on ImageNet, from a package on PyPI: no download; ``efficientnet_lite1``
``in_domain``            a small classifier that `ganlib.metrics.in_domain` trains on the real images
``in_domain:test``       the same, trained on the real test images, which had no part in the training of a GAN
``model:PATH``           your own ``.keras`` file
=======================  ==========================================================================================

All of them take uint8 images. Gray images are repeated into three channels if the network requires color, and color images are
converted to gray (ITU-R 601 luma) if it requires gray. Images are resized with Pillow's bicubic filter, except for the 2015
graph, which resizes them itself. Images of another aspect ratio than that of the network are stretched.
"""

import keras
import tensorflow as tf

from ganlib import versions
from ganlib.errors import UserError, choose
from ganlib.metrics import in_domain, inception_2015
from ganlib.metrics.extractor import FeatureExtractor
from ganlib.networks import Classifier, Discriminator, efficientnet_lite, pretrained


def get(name, source=None, cache_dir=None, test=None):
    """Returns a feature extractor by name; the names are listed in the module's docstring.

    Args:
        name: A name, a Keras model, or a `FeatureExtractor`, which is returned unchanged.
        source: The real training images, for ``in_domain``. Defaults to None.
        cache_dir: The folder of in-domain classifiers; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
        test: The real test images, for ``in_domain:test``. Defaults to None.

    Raises:
        UserError: If the name is unknown, or the weights are missing and cannot be downloaded.
    """
    if isinstance(name, FeatureExtractor):
        return name
    if isinstance(name, keras.Model):
        return from_model(name, name.name)
    if not isinstance(name, str):
        raise UserError(f"features must be a name, such as 'in_domain', or a Keras model, got {name!r:.60}")
    kind, argument = pretrained.split_source(name)
    loaders = {
        "inception_2015": lambda: inception_2015.load(argument or None),
        "inception_2015_clean": lambda: inception_2015.load(argument or None, clean=True),
        "inception_v3": lambda: application("InceptionV3"),
        "applications": lambda: application(argument),
        "efficientnet_lite": lambda: _efficientnet_lite(argument),
        "in_domain": lambda: _in_domain(argument, source, test, cache_dir),
        "model": lambda: from_file(argument),
    }
    return choose("features", kind, loaders)()


def application(name, weights="imagenet"):
    """Returns a network of `keras.applications` as a feature extractor.

    Args:
        name: The name of its constructor, such as ``"MobileNetV2"``.
        weights: ``"imagenet"``, the path of a weights file, or None for random ones. Defaults to ``"imagenet"``.

    Raises:
        UserError: If the name is unknown, or the weights are missing and cannot be downloaded.
    """
    model, module = pretrained.make(name, weights=weights)
    pooling_layers = [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)]
    before_classes = pooling_layers[-1] if pooling_layers else model.layers[-2]  # VGG ends with dense layers
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


def _efficientnet_lite(argument):
    """Returns an EfficientNet-Lite trained on ImageNet: 1,280 features, and the probabilities of 1,000 classes."""
    variant = choose("EfficientNet-Lite", argument, {str(number): number for number in efficientnet_lite.PACKAGES})
    classifier = efficientnet_lite.network(variant, classes=1000)
    efficientnet_lite.load_weights(classifier)
    images, size = keras.Input((None, None, 3)), efficientnet_lite.SIZES[variant]
    outputs = keras.Model(classifier.input, [classifier.get_layer("pool").output, classifier.output])
    features, logits = outputs(keras.layers.Rescaling(1 / 128, -127 / 128)(images))  # as in its training
    network = keras.Model(images, {"features": features, "probabilities": keras.layers.Softmax()(logits)})
    version = versions.of(versions.of_model(network), keras.__version__)
    return FeatureExtractor(f"efficientnet_lite:{variant}", version, network, channels=3, size=size)


def from_file(path):
    """Loads the model in a ``.keras`` file as a feature extractor: see `from_model`.

    Raises:
        UserError: If there is no such file, or it holds no model.
    """
    return from_model(pretrained.from_file(path), f"model:{path}")


def from_model(model, name):
    """Converts a Keras model to a feature extractor.

    Args:
        model: A model from images with pixel values in ``[0, 255]`` to ``(n, F)`` features, or to a dict with ``"features"``
            and ``"probabilities"``. A `ganlib.Classifier` provides both, a `ganlib.networks.Discriminator` features.
        name: The name in results.

    Raises:
        UserError: If the model does not take images in gray or color, or does not return features.
    """
    if isinstance(model, (Classifier, Discriminator)):
        *size, channels = model.image_shape

        def network(images):
            features = model.features(images / 127.5 - 1.0)
            if isinstance(model, Discriminator):
                return {"features": features}
            # Computed from the features, so that the body runs once.
            return {"features": features, "probabilities": tf.nn.softmax(model.class_logits(features))}
    else:
        size, channels = _input_of(model, name)

        def network(images):
            outputs = model(images, training=False)
            return outputs if isinstance(outputs, dict) else {"features": outputs}

    version = versions.of(versions.of_model(model), versions.of_code("metrics/features.py"))
    return FeatureExtractor(name, version, network, channels, _simplest(*size))


def _simplest(height, width):
    """Returns a size as `FeatureExtractor` takes it: None for any size, an integer for a square, or a pair."""
    return height if height == width else (height, width)


def _input_of(model, name):
    """Returns ``((height, width), channels)`` of a model's images, each None if it accepts any."""
    shape = getattr(model, "input_shape", None) if model.built else None
    is_supported = isinstance(shape, tuple) and len(shape) == 4 and shape[3] in (1, 3, None)
    if not is_supported or (shape[1] is None) != (shape[2] is None):
        raise UserError(f"features {name!r} must take images of one size, in gray or color, got the input shape {shape}")
    outputs = model.compute_output_spec(keras.KerasTensor(shape))
    features = outputs.get("features") if isinstance(outputs, dict) else outputs
    if len(getattr(features, "shape", ())) != 2:
        raise UserError(f"features {name!r} must return (n, F), alone or as 'features' in a dict: add keras.layers.Flatten()")
    return shape[1:3], shape[3]


def _in_domain(split, source, test, cache_dir):
    source = choose("images of in_domain", split, {"": source, "test": test})
    if source is None:
        split = "real images" if split == "" else "real test images"
        raise UserError(f"these in_domain features require the {split}, which are not given here: pass them, or other features")
    return from_model(in_domain.load(source, cache_dir), f"in_domain:{source.name}")
