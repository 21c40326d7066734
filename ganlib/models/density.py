"""`DensityModel`: the maximum-likelihood training of a density model of images."""

import math

import keras
import tensorflow as tf

from ganlib.networks.base import rescale
from ganlib.training import input_checks
from ganlib.training import strategy as strategies
from ganlib.training.distributed import DistributedModel, split_arguments


@keras.saving.register_keras_serializable("ganlib")
class DensityModel(DistributedModel):
    """Trains a density model on images without labels, by maximum likelihood.

    Args:
        network: A `ganlib.networks.pixel_cnn.PixelCNN`, or another Keras model with an ``image_shape`` and the same function
            ``log_likelihood``.

    Examples:
        >>> import numpy as np
        >>> from ganlib import DensityModel
        >>> from ganlib.networks import pixel_cnn
        >>> model = DensityModel(pixel_cnn.PixelCNN((8, 8, 1), width=4, blocks=1, mixtures=2))
        >>> model.compile()
        >>> history = model.fit(np.zeros((8, 8, 8, 1), "uint8"), verbose=0)
        >>> sorted(history.history)
        ['bits_per_value', 'loss']
    """

    parts = ("network",)
    logs_loss = True

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        strategies.check_created_in(self.distribute_strategy, network)
        self.network = network

    @property
    def networks(self):
        return [self.network]

    @property
    def form(self):
        """The parts of a training batch, in the format of `ganlib.training.input_checks`."""
        return {"images": (self.network.image_shape, None)}

    def compile(
        self,
        optimizer=None,
        ema_decay=0.999,
        seed=0,
        accumulation_steps=1,
        non_finite="stop",
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Configures the training.

        Args:
            optimizer: A Keras optimizer, its name or its config. Defaults to None, which is Adam with a learning rate of 2e-4
                and ``beta_1=0.5``.
            ema_decay: Not used.
            seed, accumulation_steps, non_finite, jit_compile, steps_per_execution, run_eagerly: See
                `ganlib.training.DistributedModel.configure`.
        """
        own, shared = split_arguments(locals())
        self.configure({"optimizer": (optimizer, self.network)}, own, **shared)

    def train_step(self, data):
        """Runs one train step on a batch of images, and returns the logs: the loss in nats, and bits per value of a pixel."""
        images, *_ = input_checks.parts_of(data)
        updates = [(self.network, self.optimizer)]
        gradients, logs = self.compute_gradients(self.density_loss, updates, (images,), self.random_stream())
        self.apply_gradients(updates, gradients)
        self.end_step()
        return logs

    def density_loss(self, images, rng):
        """Computes the mean negative log-likelihood.

        Args:
            images: ``(n, height, width, channels)`` images, as in `fit`.
            rng: A `ganlib.training.RandomStream`; it is not used.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        loss = -tf.reduce_mean(self.network.log_likelihood(rescale(images), training=True))
        return loss, {"loss": loss, "bits_per_value": loss / (math.log(2) * math.prod(self.network.image_shape))}

    def call(self, images, training=False):
        """Computes the log-densities of images: ``(n, height, width, channels)``, as in `fit` -> ``(n,)`` float32, in nats."""
        return self.network.log_likelihood(rescale(images), training=training)
