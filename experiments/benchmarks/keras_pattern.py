"""A GAN in the pattern of the Keras tutorials (https://keras.io/examples/generative/dcgan_overriding_train_step), which
`experiments.benchmarks.peers` measures.

The networks are those of DCGAN at 32x32, as in `experiments.benchmarks.pytorch`, of Keras's layers. The step is a graph, as in
`fit`. With ``one_pass``, the losses of both networks are computed from one pass over the same generated images, as in the DCGAN
tutorial of TensorFlow (https://www.tensorflow.org/tutorials/generative/dcgan).
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

LATENTS, WIDTH, BATCH_SIZE = 128, 64, 64


def dcgan():
    """Returns ``(generator, discriminator)`` for 32x32 images, width 64."""
    kernel = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}

    def normalized(activation):
        return [layers.BatchNormalization(), activation]

    def doubled(filters):
        return [layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False, **kernel), *normalized(layers.ReLU())]

    def halved(filters):
        return [layers.Conv2D(filters, 4, 2, "same", use_bias=False, **kernel), *normalized(layers.LeakyReLU(0.2))]

    generator = keras.Sequential([
        keras.Input((LATENTS,)), layers.Dense(4 * 4 * 4 * WIDTH, use_bias=False, **kernel), layers.Reshape((4, 4, 4 * WIDTH)),
        *normalized(layers.ReLU()), *doubled(2 * WIDTH), *doubled(WIDTH),
        layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh", dtype="float32", **kernel),
    ])  # fmt: skip
    discriminator = keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(WIDTH, 4, 2, "same", **kernel), layers.LeakyReLU(0.2),
        *halved(2 * WIDTH), *halved(4 * WIDTH), layers.Flatten(), layers.Dense(1, dtype="float32", **kernel),
    ])  # fmt: skip
    return generator, discriminator


class GAN(keras.Model):
    """The train step of the tutorials, with an exponential moving average of the generator's weights by its optimizer."""

    def __init__(self, one_pass):
        super().__init__()
        self.generator, self.discriminator = dcgan()
        self.one_pass = one_pass
        self.generator_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5, use_ema=True, ema_momentum=0.999)
        self.discriminator_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, images):
        real = tf.cast(images, tf.float32) / 127.5 - 1.0
        size = tf.shape(real)[0]
        if self.one_pass:
            with tf.GradientTape(persistent=True) as tape:
                fake = self.generator(tf.random.normal((size, LATENTS)), training=True)
                loss = self._discriminator_loss(real, fake)
                generator_loss = self._generator_loss(self.fake_logits)
            self._update("discriminator", tape, loss)
            self._update("generator", tape, generator_loss)
            return generator_loss
        fake = self.generator(tf.random.normal((size, LATENTS)), training=True)
        with tf.GradientTape() as tape:
            loss = self._discriminator_loss(real, fake)
        self._update("discriminator", tape, loss)
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((size, LATENTS)), training=True)
            generator_loss = self._generator_loss(self.discriminator(fake, training=True))
        self._update("generator", tape, generator_loss)
        return generator_loss

    def _discriminator_loss(self, real, fake):
        real_logits, self.fake_logits = (self.discriminator(images, training=True) for images in (real, fake))
        real_loss = self.loss_fn(tf.ones_like(real_logits), real_logits)
        return real_loss + self.loss_fn(tf.zeros_like(self.fake_logits), self.fake_logits)

    def _generator_loss(self, fake_logits):
        return self.loss_fn(tf.ones_like(fake_logits), fake_logits)

    def _update(self, name, tape, loss):
        weights = getattr(self, name).trainable_weights
        getattr(self, f"{name}_optimizer").apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


def prepared(network, precision, batch_size, one_pass):
    """Builds the GAN. Returns a dict with its batch size, and a function that starts a step and returns one that waits."""
    from ganlib.errors import choose

    choose("network", network, {"dcgan": dcgan})
    keras.mixed_precision.set_dtype_policy(precision)
    keras.utils.set_random_seed(0)
    gan = GAN(one_pass)
    gan.generator_optimizer.build(gan.generator.trainable_weights)
    gan.discriminator_optimizer.build(gan.discriminator.trainable_weights)
    compiled = tf.function(gan.train_step, autograph=False)
    size = batch_size or BATCH_SIZE
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (size, 32, 32, 3), np.uint8))

    def step():
        return compiled(images).numpy

    return {"batch_size": size}, step
