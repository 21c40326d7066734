"""Trains ganlib's networks on Keras's PyTorch backend with PyTorch Lightning, the non-saturating loss and R1:

KERAS_BACKEND=torch python docs/interop/lightning_gan.py images.npy --steps=2000

images.npy holds (n, 32, 32, 3) uint8 images. The script saves the generator with averaged weights to generator.keras,
which ganlib also loads on TensorFlow.
"""

import argparse

import keras
import lightning
import numpy as np
import torch
from torch.nn.functional import softplus

from ganlib.networks import dcgan


class LightningGAN(lightning.LightningModule):
    """A GAN for batches of (n, height, width, channels) float32 images in [-1, 1]."""

    def __init__(self, generator, discriminator, learning_rate=2e-4, r1_weight=1.0, ema_decay=0.999):
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator = generator, discriminator
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.learning_rate, self.r1_weight, self.ema_decay = learning_rate, r1_weight, ema_decay

    def training_step(self, real, index):
        optimizers = self.optimizers()
        for optimizer, loss_fn in zip(optimizers, (self.discriminator_loss, self.generator_loss), strict=True):
            loss = loss_fn(real)
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
            self.log(loss_fn.__name__, loss, prog_bar=True)
        with torch.no_grad():
            for averaged, trained in zip(self.ema_generator.variables, self.generator.variables, strict=True):
                averaged.value.lerp_(trained.value.to(averaged.value.dtype), 1 - self.ema_decay)

    def discriminator_loss(self, real):
        fake = self.generator(self.latents(len(real)), training=True).detach()
        real = real.requires_grad_()
        real_logits, fake_logits = (self.discriminator(images, training=True) for images in (real, fake))
        (gradients,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
        r1 = gradients.square().sum(dim=(1, 2, 3)).mean() / 2
        return softplus(-real_logits).mean() + softplus(fake_logits).mean() + self.r1_weight * r1

    def generator_loss(self, real):
        return softplus(-self.discriminator(self.generator(self.latents(len(real)), training=True), training=True)).mean()

    def latents(self, count):
        return torch.randn(count, self.generator.latent_dim, device=self.device)

    def configure_optimizers(self):
        parameters = ([weight.value for weight in part.trainable_variables] for part in (self.discriminator, self.generator))
        return [torch.optim.Adam(values, self.learning_rate, betas=(0.5, 0.999)) for values in parameters]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images")
    parser.add_argument("--steps", type=int, default=2000)
    arguments = parser.parse_args()
    images = torch.from_numpy(np.load(arguments.images).astype("float32") / 127.5 - 1)
    shape = tuple(images.shape[1:])
    gan = LightningGAN(dcgan.Generator(shape, 100), dcgan.Discriminator(shape, normalization=None))
    batches = torch.utils.data.DataLoader(images, batch_size=64, shuffle=True, drop_last=True)
    lightning.Trainer(max_steps=2 * arguments.steps, accelerator="auto", logger=False).fit(gan, batches)
    gan.ema_generator.save("generator.keras")


if __name__ == "__main__":
    main()
