"""mimicry's training of an SNGAN: six generator steps of its trainer with given images and latents, by `ganlib.GAN`."""

import numpy as np
import tensorflow as tf

import ganlib
from experiments.studies.parity import comparison
from ganlib import interop
from ganlib.methods import building

FILES = ("sngan_training",)
CODE = "mimicry"

TOLERANCES = {"G: change of weights": 2e-3, "G: change of statistics": 2e-2, "D: change of weights": 2e-3}
"""Adam without momentum moves a weight by the sign of its first gradients, so rounding shows as in the README of the files."""


class GivenLatents:
    """Stands in for the random stream of a step: returns given latents one after the other."""

    def __init__(self, latents):
        self._latents = list(latents)

    def normal(self, shape):
        """Returns the next latents."""
        return tf.constant(self._latents.pop(0))


def differences(file):
    """Returns the differences of losses and rates, and of the changes of the weights, relative to the largest change."""
    args, states = file.meta["args"], {net: file.group(f"state/{net}/") for net in "GD"}
    names = {"G": comparison.Names(CODE, "generator", states["G"]), "D": comparison.Names(CODE, "discriminator", states["D"])}
    gan = ganlib.GAN(interop.generator(CODE, states["G"]), interop.discriminator(CODE, states["D"]))
    config = {"learning_rate": args["lr"], "beta_1": args["betas"][0], "beta_2": args["betas"][1], "epsilon": 1e-8,
              "corrected_epsilon": True, "linear_decay": 1.0}  # fmt: skip
    gan.compile(
        building.optimizer(config, args["num_steps"]), building.optimizer(config, args["num_steps"], args["n_dis"]),
        loss="hinge", discriminator_steps=args["n_dis"], ema_decay=0.0, run_eagerly=True,
    )  # fmt: skip
    rates, losses = [], {"D": [], "G": []}
    for step in range(args["num_steps"]):
        rates.append(float(gan.discriminator_optimizer.learning_rate))
        logs = _step(gan, file["in/real"][step], [*file["in/z_D"][step], file["in/z_G"][step]])
        losses["D"].append(float(logs["discriminator_loss"]))
        losses["G"].append(float(logs["generator_loss"]))
        if step == 0:
            first = {net: names[net].weights(network) for net, network in (("G", gan.generator), ("D", gan.discriminator))}
    final = {net: names[net].weights(network) for net, network in (("G", gan.generator), ("D", gan.discriminator))}
    result = {
        "learning rates": comparison.difference(rates, file["out/lr_D"][:, 0]),
        "losses of D": comparison.difference(losses["D"], file["out/loss_D"][:, -1]),
        "losses of G": comparison.difference(losses["G"], file["out/loss_G"]),
    }
    undefined = file.meta["undefined_G_parameters"]
    for when, weights in (("state_after_step1", first), ("final_state", final)):
        for net in "GD":
            for kind, change in _changes(file, when, net, weights[net], states[net], undefined).items():
                family = f"{net}: change of {kind}"
                result[family] = max(result.get(family, 0.0), change)
    images = gan.generator(file["in/z_G"][0], training=True)
    return result | {"final images": comparison.difference(images, file.images("out/final_G_train"))}


def _step(gan, real, latents):
    """Runs one train step on images ``(n_dis, n, channels, height, width)`` with given latents."""
    count, n = real.shape[:2]
    images = np.stack([comparison.channels_last(part) for part in real], axis=1).reshape(
        count * n, *np.roll(real.shape[2:], -1)
    )
    stream = GivenLatents(latents)
    gan.random_stream = lambda: stream
    return gan.train_step(tf.constant(images))


def _changes(file, when, net, weights, start, undefined):
    """Returns the largest difference of a change since the start, relative to the largest change of its array, by kind."""
    result = {}
    for name, reference in file.group(f"out/{when}/{net}/").items():
        if name.endswith("num_batches_tracked") or name in undefined:
            continue
        kind = "weights" if name.endswith(("weight", "weight_orig", "bias")) else "statistics"
        difference = comparison.difference(weights[name] - start[name], reference - start[name])
        result[kind] = max(result.get(kind, 0.0), difference)
    return result
