"""Measures train steps in PyTorch on ganlib's networks: python -m experiments.benchmarks.pytorch --networks=dcgan,resnet

The algorithms and sizes are those of `experiments.benchmarks.networks`. dcgan is cifar10_dcgan without labels and R1, with
batch normalization in both networks. resnet is cifar10_sngan with its five discriminator steps. r3gan is cifar10_r3gan without
ADA and labels, with R1 and R2 at each step. PyTorch uses its fast settings: channels last, fused Adam, TF32 as in TensorFlow,
cuDNN autotuning, and, as a variant, torch.compile. torch.compile does not support double backward, so r3gan runs without it.

TensorFlow is not imported, because GPU builds of both crash in one process.
"""

import copy
import time

import numpy as np
import torch
from absl import flags
from torch import nn
from torch.nn import functional

from experiments.benchmarks import networks as benchmark_networks
from experiments.common import job
from ganlib.errors import choose

LATENTS = 128


def dcgan():
    """Returns ``(generator, discriminator)`` for 32x32 images, width 64, like `ganlib.networks.dcgan`."""

    def doubled(channels_in, channels_out):
        return [nn.ConvTranspose2d(channels_in, channels_out, 4, 2, 1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()]

    def halved(channels_in, channels_out):
        return [nn.Conv2d(channels_in, channels_out, 4, 2, 1, bias=False), nn.BatchNorm2d(channels_out), nn.LeakyReLU(0.2)]

    generator = nn.Sequential(
        nn.Linear(LATENTS, 4096, bias=False), nn.Unflatten(1, (256, 4, 4)), nn.BatchNorm2d(256), nn.ReLU(),
        *doubled(256, 128), *doubled(128, 64), nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2), *halved(64, 128), *halved(128, 256), nn.Flatten(), nn.Linear(4096, 1)
    )
    return generator, discriminator


class Residual(nn.Module):
    """``main(x) + skip(x)``."""

    def __init__(self, main, skip):
        super().__init__()
        self.main, self.skip = main, skip

    def forward(self, x):
        return self.main(x) + self.skip(x)


def resnet():
    """Returns ``(generator, discriminator)`` for 32x32 images, widths 256 and 128, like `ganlib.networks.resnet`."""
    spectral_norm = nn.utils.parametrizations.spectral_norm

    def conv(channels_in, channels_out, size):
        return nn.Conv2d(channels_in, channels_out, size, padding=size // 2)

    def doubled(width):
        main = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.Upsample(scale_factor=2), conv(width, width, 3),
            nn.BatchNorm2d(width), nn.ReLU(), conv(width, width, 3),
        )  # fmt: skip
        return Residual(main, nn.Sequential(conv(width, width, 1), nn.Upsample(scale_factor=2)))

    def block(channels_in, width, halves, first=False):
        pool = nn.AvgPool2d(2) if halves else nn.Identity()
        main = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            spectral_norm(conv(channels_in, width, 3)),
            nn.ReLU(),
            spectral_norm(conv(width, width, 3)),
            pool,
        )
        return Residual(main, nn.Sequential(pool, spectral_norm(conv(channels_in, width, 1))) if halves else nn.Identity())

    generator = nn.Sequential(
        nn.Linear(LATENTS, 4 * 4 * 256), nn.Unflatten(1, (256, 4, 4)), doubled(256), doubled(256), doubled(256),
        nn.BatchNorm2d(256), nn.ReLU(), conv(256, 3, 3), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        block(3, 128, True, first=True), block(128, 128, True), block(128, 128, False), block(128, 128, False),
        nn.ReLU(), SumOfPositions(), spectral_norm(nn.Linear(128, 1)),
    )  # fmt: skip
    return generator, discriminator


class SumOfPositions(nn.Module):
    """``(n, c, h, w)`` -> ``(n, c)``."""

    def forward(self, x):
        return x.sum((2, 3))


class R3GANBlock(nn.Module):
    """Like `ganlib.networks.r3gan.ResidualBlock`."""

    def __init__(self, width, groups):
        super().__init__()
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.convolve = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=groups)
        self.narrow = nn.Conv2d(2 * width, width, 1, bias=False)

    def forward(self, x):
        return x + self.narrow(functional.leaky_relu(self.convolve(functional.leaky_relu(self.widen(x), 0.2)), 0.2))


class Filtered(nn.Module):
    """Doubles or halves the resolution with the filter (1, 3, 3, 1)."""

    def __init__(self, width, doubles):
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / (4.0 if doubles else 8.0)
        self.register_buffer("kernel", torch.outer(line, line).expand(width, 1, 4, 4).contiguous())
        self.function = functional.conv_transpose2d if doubles else functional.conv2d

    def forward(self, x):
        return self.function(x, self.kernel.to(x.dtype), stride=2, padding=1, groups=x.shape[1])


class Basis(nn.Module):
    """The learned input of R3GAN's generator, scaled by the latents."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Linear(64, width, bias=False)
        self.basis = nn.Parameter(torch.randn(width, 4, 4))

    def forward(self, latents):
        return self.scale(latents[:, :64])[:, :, None, None] * self.basis


def r3gan(width=768, group_width=16):
    """Returns ``(generator, discriminator)`` for 32x32 images, like `ganlib.networks.r3gan` with width 768 and two blocks in
    each of four stages."""

    def blocks():
        return [R3GANBlock(width, 2 * width // group_width) for _ in range(2)]

    up = [layer for _ in range(3) for layer in (Filtered(width, True), *blocks())]
    down = [layer for _ in range(3) for layer in (*blocks(), Filtered(width, False))]
    generator = nn.Sequential(Basis(width), *blocks(), *up, nn.Conv2d(width, 3, 1, bias=False))
    last = [nn.Conv2d(width, width, 4, groups=width, bias=False), nn.Flatten(), nn.Linear(width, 1, bias=False)]
    return generator, nn.Sequential(nn.Conv2d(3, width, 1, bias=False), *down, *blocks(), *last)


NETWORKS = {
    "dcgan": (dcgan, 64, 1, "non_saturating"),
    "resnet": (resnet, 64, 5, "hinge"),
    "r3gan": (r3gan, 512, 1, "relativistic"),
}
"""Name -> networks, batch size, discriminator steps, loss."""


class Training:
    """The algorithm of `ganlib.GAN`'s train step: discriminator, generator on new latents, moving average."""

    def __init__(self, name, precision, compiled, batch_size=None):
        make, size, self.discriminator_steps, self.loss = choose("network", name, NETWORKS)
        self.batch_size = batch_size or size
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(0)
        networks = [network.to(self.device, memory_format=torch.channels_last) for network in make()]
        self.average = copy.deepcopy(networks[0]).requires_grad_(False)
        self.weights = [list(network.parameters()) for network in networks]
        fused = self.device == "cuda"
        self.optimizers = [torch.optim.Adam(weights, 2e-4, betas=(0.5, 0.999), fused=fused) for weights in self.weights]
        self.generator, self.discriminator = (torch.compile(network) if compiled else network for network in networks)
        dtype = {"mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}.get(precision)
        self.autocast = torch.autocast(self.device, dtype, enabled=dtype is not None)
        self.scalers = [torch.amp.GradScaler(self.device, enabled=precision == "mixed_float16") for _ in networks]
        shape = (self.batch_size * self.discriminator_steps, 3, 32, 32)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, device=self.device)
        self.images = images.contiguous(memory_format=torch.channels_last)

    def step(self):
        """Runs one step and returns the generator's loss, a tensor."""
        parts = (self.images.to(torch.float32) / 127.5 - 1.0).split(self.batch_size)
        for real in parts:
            self._update(1, self._discriminator_loss(real))
        for weight in self.weights[1]:
            weight.requires_grad_(False)
        loss = self._generator_loss(parts[-1])
        self._update(0, loss)
        for weight in self.weights[1]:
            weight.requires_grad_(True)
        torch._foreach_lerp_(list(self.average.parameters()), self.weights[0], 0.001)
        return loss.detach()

    def _latents(self):
        return torch.randn(self.batch_size, LATENTS, device=self.device)

    def _discriminator_loss(self, real):
        with self.autocast:
            with torch.no_grad():
                fake = self.generator(self._latents())
            if self.loss == "relativistic":
                real, fake = real.requires_grad_(), fake.float().requires_grad_()
                real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
                loss = functional.softplus(fake_logits.float() - real_logits.float()).mean()
                return loss + self._penalty(real_logits, real) + self._penalty(fake_logits, fake)
            real_logits, fake_logits = self.discriminator(real).float(), self.discriminator(fake).float()
        if self.loss == "hinge":
            return functional.relu(1 - real_logits).mean() + functional.relu(1 + fake_logits).mean()
        return functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean()

    @staticmethod
    def _penalty(logits, images):
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return 0.025 * gradient.float().square().sum((1, 2, 3)).mean()

    def _generator_loss(self, real):
        with self.autocast:
            fake_logits = self.discriminator(self.generator(self._latents())).float()
            if self.loss == "relativistic":
                return functional.softplus(self.discriminator(real).float() - fake_logits).mean()
        return -fake_logits.mean() if self.loss == "hinge" else functional.softplus(-fake_logits).mean()

    def _update(self, index, loss):
        optimizer, scaler = self.optimizers[index], self.scalers[index]
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()


def use_fast_settings():
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True


def prepared(network, precision, batch_size, compiled):
    """Builds a training. Returns a dict with its batch size, and a function that starts a step and returns one that waits."""
    use_fast_settings()
    training = Training(network, precision, compiled, batch_size)

    def step():
        return training.step().item

    return {"batch_size": training.batch_size}, step


class SynchronizedLoss:
    """A loss whose ``numpy()`` waits for the device, like that of a TensorFlow tensor."""

    def __init__(self, loss):
        self.loss = loss

    def numpy(self):
        return self.loss.item()


def main():
    use_fast_settings()
    for name in flags.FLAGS.networks:
        for precision in flags.FLAGS.precisions:
            for variant in flags.FLAGS.variants:
                started = time.perf_counter()
                training = Training(name, precision, variant == "compiled", flags.FLAGS.batch_size)
                loss = training.step().item()
                first_step = time.perf_counter() - started
                print(f"PyTorch {name}: compiled after {first_step:.0f} s", flush=True)
                with benchmark_networks.locked(flags.FLAGS.lock):
                    seconds = benchmark_networks.steady_seconds(
                        lambda t=training: SynchronizedLoss(t.step()), flags.FLAGS.seconds
                    )
                row = {
                    "config": f"PyTorch {name}",
                    "precision": precision,
                    "variant": variant,
                    "batch_size": training.batch_size,
                    "seconds_to_first_step": first_step,
                    "images_per_second": training.batch_size / seconds,
                    "memory_bytes": torch.cuda.max_memory_allocated() if training.device == "cuda" else None,
                    "finite": bool(np.isfinite(loss)),
                }
                benchmark_networks.report(row, flags.FLAGS.output)


if __name__ == "__main__":
    benchmark_networks.define_flags()
    flags.DEFINE_list("networks", ["dcgan", "resnet"], "networks: dcgan, resnet, r3gan")
    flags.DEFINE_list("variants", ["eager", "compiled"], "variants: eager, compiled, or both")
    job.start(main)
