"""Networks for semi-supervised GANs in the feature space of a frozen pretrained network.

The discriminator classifies the features of images, and the generator generates features instead of images. The features of
all training images are computed once, so that a train step takes milliseconds, whatever the size of the images. The losses are
those of Salimans et al. 2016 (arXiv:1606.03498) on pixels, and so are the layers: see `ganlib.networks.improved_mlp`.
"""

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, integer
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base, improved_mlp, pretrained
from ganlib.networks.backbone import Pooled

register = keras.saving.register_keras_serializable("ganlib.feature_space")

TAPS = ("stage3", "stage4", "stage5", "stage6", "stage7")
"""The stages of EfficientNet-Lite whose maps are pooled."""

SPREAD = 2.5
"""The number of standard deviations that are mapped to tanh(1)."""


@register
class Encoder(layers.Composed, keras.layers.Layer):
    """Images -> the principal components of the pooled features of a pretrained network, between -1 and 1.

    The pooled features are standardized and projected on their first principal components. All components are divided by the
    same number, which gives them a standard deviation of 1 on average, and mapped by ``tanh(component / 2.5)``. `adapt`
    computes these statistics on training images.

    Args:
        pooled: A `ganlib.networks.backbone.Pooled`.
        components: The number of principal components; None for the standardized features themselves, without tanh. Defaults to
            64.
    """

    parts = ("pooled",)

    def __init__(self, pooled, components=64, **kwargs):
        super().__init__(**kwargs)
        self.pooled = pooled
        self.components = None if components is None else integer("components", components, 1)

    def build(self, input_shape):
        count = self.pooled.compute_output_spec(keras.KerasTensor(input_shape)).shape[-1]
        fixed = {"trainable": False, "autocast": False, "dtype": "float32"}
        self.mean = self.add_weight(name="mean", shape=(count,), initializer="zeros", **fixed)
        self.scale = self.add_weight(name="scale", shape=(count,), initializer="ones", **fixed)
        if self.components:
            shape = (count, self.components)
            self.projection = self.add_weight(name="projection", shape=shape, initializer="orthogonal", **fixed)

    @property
    def num_features(self):
        """The number of features of an image."""
        return self.components or self.mean.shape[0]

    def call(self, images, training=False):
        """Computes features: ``(n, *image_shape)`` float images in ``[-1, 1]`` -> ``(n, num_features)`` float32."""
        return self.from_pooled(self.pooled(images))

    def from_pooled(self, pooled):
        """Computes features from pooled features: ``(n, F)`` -> ``(n, num_features)`` float32."""
        x = (ops.cast(pooled, "float32") - self.mean) * self.scale
        return ops.tanh(ops.matmul(x, self.projection) / SPREAD) if self.components else x

    def adapt(self, pooled):
        """Computes the statistics.

        Args:
            pooled: ``(n, F)`` pooled features of training images, numpy.

        Raises:
            UserError: If there are fewer than 2 images, or all have the same features.
        """
        if len(pooled) < 2:
            raise UserError(f"the features of at least 2 training images are needed, got {len(pooled)}")
        x = np.asarray(pooled, np.float64)
        deviation, varies = x.std(axis=0), x.std(axis=0) > 1e-5 * np.abs(x.mean(axis=0))  # more than by rounding
        if not varies.any():
            raise UserError(f"the backbone has the same features for all {len(x)} training images: check the images")
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
        self.mean.assign(x.mean(axis=0))
        self.scale.assign(scale)
        if self.components:
            self.projection.assign(_principal_components((x - x.mean(axis=0)) * scale, self.components))

    def get_config(self):
        return {**super().get_config(), "components": self.components}


def _principal_components(x, count):
    """Returns an ``(F, count)`` projection of centered ``(n, F)`` rows on their principal components. The components have a
    variance of 1 on average. If there are fewer than ``count``, the other columns are 0."""
    from sklearn.decomposition import PCA

    pca = PCA(min(count, len(x) - 1, x.shape[1]), random_state=0).fit(x)
    projection = np.zeros((x.shape[1], count))
    projection[:, : pca.n_components_] = pca.components_.T
    return projection / np.sqrt(pca.explained_variance_.mean())


@register
class Body(SublayerPolicy, layers.Composed, keras.layers.Layer):
    """Images, or the features that the encoder computes from them -> layers of a classifier.

    Args:
        encoder: An `Encoder`.
        top: A `keras.Sequential` of layers that take the encoder's features.
        image_shape: ``(height, width, channels)``.

    Attributes:
        initialized_in_training: False: `ganlib.Classifier.initialize` runs its layers without noise, as in the runs whose
            results are documented. Its pretrained statistics stay as they are.

    Raises:
        UserError: If it is called with another number of features.
    """

    parts = ("encoder", "top")
    initialized_in_training = False

    def __init__(self, encoder, top, image_shape, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.top, self.image_shape = encoder, top, tuple(image_shape)
        self.trainable = True

    @property
    def trainable(self):
        """Whether its layers are trained. The encoder is trained only from the backbone's ``trainable_from`` on."""
        return keras.layers.Layer.trainable.fget(self)

    @trainable.setter
    def trainable(self, value):
        keras.layers.Layer.trainable.fset(self, value)
        if hasattr(self, "encoder") and self.encoder.pooled.backbone.trainable_from is None:
            self.encoder.trainable = False

    def build(self, input_shape=None):
        if not self.encoder.built:
            self.encoder.build((None, *self.image_shape))

    @property
    def training_shape(self):
        """The shape of one example in training: of features if the encoder is frozen, otherwise of images."""
        return self.image_shape if self.encoder.trainable_variables else (self.encoder.num_features,)

    @property
    def layers(self):
        """The layers in their order. `ganlib.layers.initialize_weight_norm` initializes them."""
        return [self.features_of, *self.top.layers]

    def features_of(self, inputs):
        """Returns the encoder's features of images, and features unchanged.

        Raises:
            UserError: If there is another number of features.
        """
        if len(inputs.shape) == 4:
            return self.encoder(inputs)
        if inputs.shape[-1] != self.encoder.num_features:
            raise UserError(
                f"the encoder has {self.encoder.num_features} features, got {inputs.shape[-1]}: use the same number of "
                "components for the generator and the discriminator"
            )
        return inputs

    def call(self, inputs, training=False):
        return self.top(self.features_of(inputs), training=training)

    def get_config(self):
        return {**super().get_config(), "image_shape": self.image_shape}


@register
class Generator(base.Generator):
    """Latents -> two dense layers with batch normalization and softplus -> features in ``(-1, 1)``, not images.

    Args:
        image_shape: ``(height, width, channels)`` of the images that the discriminator encodes.
        latent_dim: The dimension of the latents. Defaults to 50.
        width: The number of units in each hidden layer. Defaults to 200.
        components: The number of features, that of the discriminator's encoder. Defaults to 64.
        num_classes: Must be None. Defaults to None.
    """

    makes_images = False

    def __init__(self, image_shape, latent_dim=50, width=200, components=64, num_classes=None, **kwargs):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.width, self.components = width, integer("components", components, 1)
        stack = improved_mlp.softplus_layers(width)
        stack.append(layers.WeightNorm(keras.layers.Dense(self.components), trainable_gain=True, init_std=None))
        self.body = keras.Sequential([*stack, keras.layers.Activation("tanh")], name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width, "components": self.components}


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images, or their features -> dense layers with weight normalization and ReLU, each preceded by noise -> logits.

    Args:
        image_shape: ``(height, width, channels)``.
        widths: The numbers of units of the hidden layers. Without hidden layers, a classifier is linear. Defaults to ``(500,
            250, 125, 125, 125)``.
        noise: The standard deviation of the noise before every layer. Defaults to 0.25.
        components: The number of principal components of the features: see `Encoder`. Defaults to 64.
        backbone: A source for `ganlib.networks.pretrained.load`, a `ganlib.networks.backbone.Backbone` or an `Encoder`.
            Defaults to ``"efficientnet_lite0"``.
        weights: The weights of the backbone, as in `ganlib.networks.pretrained.load`. Defaults to ``"imagenet"``.
        backbone_size: The shorter side to which images are resized for the backbone; None does not resize them. Defaults to
            224.
        taps: The layers whose maps are pooled, as in `ganlib.networks.pretrained.load`. Defaults to `TAPS`.
        pooling: ``"average"`` or ``"average_and_maximum"``, as in `ganlib.networks.backbone.Pooled`. Defaults to
            ``"average_and_maximum"``.
        trainable_from: The stage from which the backbone is trained, as in `ganlib.networks.pretrained.load`. It is then
            trained on images. Defaults to None, for a frozen backbone, which is trained on features.
        num_classes: Must be None. Defaults to None.

    Raises:
        UserError: If the backbone or the pooling does not exist.
    """

    parts = ("backbone",)

    def __init__(
        self,
        image_shape,
        widths=(500, 250, 125, 125, 125),
        noise=0.25,
        components=64,
        backbone="efficientnet_lite0",
        weights="imagenet",
        backbone_size=224,
        taps=TAPS,
        pooling="average_and_maximum",
        trainable_from=None,
        num_classes=None,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        self.widths, self.noise = tuple(integer("widths", width, 1) for width in widths), noise
        if isinstance(backbone, str):
            taps = list(taps) if isinstance(taps, tuple) else taps
            backbone = pretrained.load(backbone, self.image_shape, taps, weights, backbone_size, trainable_from)
        if not isinstance(backbone, Encoder):
            backbone = Encoder(Pooled(backbone, pooling), components, name="encoder")
        top = []
        for width in self.widths:
            top += [keras.layers.GaussianNoise(noise), layers.WeightNorm(keras.layers.Dense(width)), keras.layers.ReLU()]
        self.body = Body(
            backbone, keras.Sequential(top or [keras.layers.Identity()], name="top"), self.image_shape, name="body"
        )
        self.build()

    @property
    def backbone(self):
        """The `Encoder` below the dense layers."""
        return self.body.encoder

    def class_head(self, num_classes):
        """Returns the last layer of a classifier: after noise and with trainable gains, or plain without hidden layers."""
        if not self.widths:
            return super().class_head(num_classes)
        return improved_mlp.noisy_head(num_classes, self.noise, self.dtype_policy)

    def get_config(self):
        config = {**super().get_config(), "widths": self.widths, "noise": self.noise}
        del config["spectral_norm"]
        return config
