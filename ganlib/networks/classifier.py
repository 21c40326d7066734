"""A classifier built from a discriminator's features and a class head."""

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.layers.dtype_policy import SublayerPolicy, policy
from ganlib.networks import base, keras_graph, pixels
from ganlib.networks.backbone import Backbone

register = keras.saving.register_keras_serializable("ganlib")


@register
class Classifier(SublayerPolicy, layers.Composed, keras.Model):
    """Images -> the body of a discriminator -> a dense head -> class logits. It is a plain Keras model.

    With K classes, the logits represent K + 1 classes: the logit of "generated" is fixed at 0, so that the logit of "real" is
    the log-sum-exp of the K logits (Salimans et al. 2016, arXiv:1606.03498, section 5).

    Args:
        body: A layer from ``(n, *image_shape)`` images to ``(n, num_features)`` features, such as ``discriminator.body``. It is
            shared, not copied.
        image_shape: ``(height, width, channels)``.
        num_classes: The number of classes.
        head: A layer from features to ``(n, num_classes)`` logits, such as one returned by ``discriminator.class_head``. If
            None, a dense layer is used. Defaults to None.

    Attributes:
        temperature: A float32 variable, initially 1, by which `classify` divides the logits to calibrate the probabilities. Set
            it to `ganlib.metrics.temperature` of held-out examples.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import dcgan, Classifier
        >>> discriminator = dcgan.Discriminator((8, 8, 1), width=16)
        >>> classifier = Classifier(discriminator.body, (8, 8, 1), num_classes=10)
        >>> classifier(np.zeros((2, 8, 8, 1), "uint8")).shape
        TensorShape([2, 10])
    """

    parts = ("body", "head")

    def __init__(self, body, image_shape, num_classes, head=None, **kwargs):
        super().__init__(**kwargs)
        self.body, self.image_shape, self.num_classes = body, tuple(image_shape), num_classes
        self.head = head or keras.layers.Dense(num_classes, name="head")
        self.temperature = self.add_weight(name="temperature", shape=(), initializer="ones", trainable=False)
        self.build()

    def build(self, input_shape=None):
        self.compute_output_spec(keras.KerasTensor((None, *self.image_shape)))

    def features(self, images, training=False):
        """Computes features: ``(n, *image_shape)`` images, uint8 or float in ``[-1, 1]`` -> ``(n, num_features)``.

        ``training`` is passed to the body, as in `call`.

        Raises:
            UserError: If a numpy array of floats has values outside ``[-1, 1]``.
        """
        if isinstance(images, np.ndarray):
            pixels.check(images)
        return self.body(base.rescale(images), training=training)

    def call(self, images, training=False):
        """Computes logits: ``(n, *image_shape)`` images, uint8 or float in ``[-1, 1]`` -> ``(n, num_classes)`` float32."""
        return self.class_logits(self.features(images, training=training), training=training)

    def class_logits(self, features, training=False):
        """Applies the head: ``(n, num_features)`` features -> ``(n, num_classes)`` float32 logits.

        ``training`` is passed to the head.
        """
        return ops.cast(self.head(features, training=training), "float32")

    def initialize(self, images):
        """Runs the data-dependent initialization of the weight-normalized layers: see `ganlib.layers.initialize_weight_norm`.

        Noise and dropout are on, as in the code of Salimans et al. 2016 (arXiv:1606.03498), unless the body has an attribute
        ``initialized_in_training`` that is False, as in `ganlib.networks.feature_space`.

        Args:
            images: ``(n, *image_shape)`` training images, uint8 or float in ``[-1, 1]``, or for a body in a feature space (see
                `ganlib.networks.feature_space`) their ``(n, num_features)`` features.

        Raises:
            UserError: If floats of images are outside ``[-1, 1]``.
        """
        if len(images.shape) == 4:
            pixels.check(images)
        if layers.has_weight_norm(self):
            # Eagerly, all intermediate outputs are kept: those of 500 photos of 224x224 in EfficientNet-Lite0 took 24 GB.
            training = getattr(self.body, "initialized_in_training", True)
            features = layers.initialize_weight_norm(self.body, base.rescale(images), self._batch_size(2**20), training)
            layers.initialize_weight_norm(self.head, features, training=training)

    def classify(self, images, batch_size=None):
        """Computes calibrated class probabilities.

        The logits are divided by ``temperature``. A warning is issued if all float values are between 0 and 1.

        Args:
            images: ``(n, *image_shape)``, uint8 or float in ``[-1, 1]``, or for a body in a feature space their features.
            batch_size: The number of images in a forward pass. Defaults to None, which is 256, or fewer if these have
                more than 2 million pixels, but at least 16.

        Returns:
            ``(n, num_classes)`` float32 probabilities.

        Raises:
            UserError: If floats are outside ``[-1, 1]``.
        """
        return self.calibrated(self.logits(images, batch_size))

    def calibrated(self, logits):
        """Computes calibrated class probabilities from ``(n, num_classes)`` logits: numpy, of the same shape."""
        return ops.convert_to_numpy(ops.softmax(logits / self.temperature, axis=-1))

    def logits(self, images, batch_size=None):
        """Computes class logits in batches: ``(n, num_classes)`` float32, numpy. ``images``, ``batch_size`` and the errors are
        those of `classify`."""
        if len(images.shape) == 4:
            pixels.check(images)
        if batch_size is None:  # 256 photos of 300x300 took 7 GB of memory in EfficientNet-Lite1
            batch_size = min(self._batch_size(2**21), 256)
        return self.predict(images, batch_size=batch_size, verbose=0)

    def _batch_size(self, max_pixels):
        """Returns the number of images, at least 16, that have ``max_pixels`` in the size to which a backbone resizes them."""
        backbones = [layer for layer in self._flatten_layers() if isinstance(layer, Backbone)]
        sizes = [self.image_shape[:2], *(np.broadcast_to(backbone.size, 2) for backbone in backbones if backbone.size)]
        return max(16, int(max_pixels // max(np.prod(size) for size in sizes)))

    def copy(self):
        """Returns the same classifier around copies of the body and the head, with the same weights.

        Raises:
            UserError: If a body or a head of Keras cannot be copied: see `ganlib.networks.wrapped`.
        """
        config = {name: value for name, value in self.get_config().items() if name not in self.parts}
        with policy(self.dtype_policy):
            parts = {name: keras_graph.copy_of(getattr(self, name)) for name in self.parts}
        copy = type(self)(**parts, **config)
        keras_graph.set_equal(copy, self, [np.random.default_rng(0).uniform(-1.0, 1.0, (2, *self.image_shape))])
        return copy

    def get_config(self):
        return {**super().get_config(), "image_shape": self.image_shape, "num_classes": self.num_classes}
