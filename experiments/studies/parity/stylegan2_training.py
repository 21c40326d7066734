"""The training of StyleGAN2-ADA: four train steps with path length regularization, R1, lazy steps and moving averages."""

import numpy as np
import tensorflow as tf

import ganlib
from experiments.studies.parity import comparison, stylegan2
from ganlib import penalties
from ganlib.models.critic import Critic
from ganlib.training import schedules

FILES = ("sg2_training",)
PHASES = ("Gmain", "Greg", "Dmain", "Dreg")

TOLERANCES = {"change of the mapping layers": 0.03, "change of other weights": 2e-3}
"""Weights are judged by their change relative to its largest value. The reference files say what float32 costs there: 0.01 in
mapping layers, whose weights are up to 350, and 6e-4 elsewhere."""


def differences(file):
    """Returns the differences by family."""
    model, names = Replayed(*stylegan2.networks(file)), {}
    for net, which in stylegan2.WHICH.items():
        names[net] = comparison.Names(stylegan2.CODE, which, file.group(f"state/{net}/"))
    model.configured(file.meta)
    result = {}
    for iteration in range(file.meta["iterations"]):
        logs = model.replay(file, iteration)
        _add(result, _outputs(file, iteration, model, logs))
        if iteration == 0:
            _add(result, _gradients(file, model, names))
        if f"state_after{iteration + 1}/G/mapping.w_avg" in file:
            _add(result, _changes(file, f"state_after{iteration + 1}", model, names))
    return result


class Replayed(ganlib.GAN):
    """A GAN whose train step uses given latents, noise and labels. It keeps the logits and gradients of each phase.

    The authors draw the labels of generated images anew in each phase. ganlib uses those of the batch.
    """

    def configured(self, meta):
        """Compiles the model with the settings of the file."""
        half_life = 1000.0 * meta["ema_kimg"] / meta["batch_size"]
        optimizers = []
        for net in "GD":
            arguments = meta["adjusted_opt_kwargs"][net]
            (beta_1, beta_2), epsilon = arguments["betas"], arguments["eps"]
            optimizers.append(schedules.Adam(arguments["lr"], beta_1, beta_2, epsilon, corrected_epsilon=True))
        path_length = penalties.PathLength(meta["pl_weight"], meta["G_reg_interval"], 1.0 - meta["pl_decay"], separate=True)
        r1 = penalties.R1(meta["r1_gamma"], meta["D_reg_interval"], separate=True)
        decay = schedules.HalfLife(half_life)
        self.compile(*optimizers, penalties=[path_length, r1], update="generator_first", ema_decay=decay, run_eagerly=True)
        stylegan2.without_noise_draws(self.generator)
        self.path_length = path_length

    def replay(self, file, iteration):
        """Runs one train step with the random numbers of the file, and returns its logs."""
        latents, noise = file["in/z"][iteration], file.get(f"in/pl_noise/iter{iteration}")
        draws = [latents[0], latents[2]]
        if noise is not None:
            draws[1:1] = [latents[1][: len(noise)], stylegan2.pixel_noise(noise)]
        self.stream, self.phase = stylegan2.Draws(*draws), 0
        self.fake_labels = stylegan2.labels_of(file["in/gen_c"][iteration])
        self.critics, self.applied = [], []
        reals = comparison.channels_last(file["in/reals"][iteration]), stylegan2.labels_of(file["in/real_c"][iteration])
        return self.train_step(tuple(map(tf.constant, reals)))

    def random_stream(self):
        return self.stream

    def generate_for_training(self, latents, labels, rng):
        return super().generate_for_training(latents, self.fake_labels[self.phase], rng)

    def critic(self, labels, rng):
        """Returns the critic of the next phase; each phase has one."""
        fake_labels, name = self.fake_labels[self.phase], PHASES[self.phase]
        self.phase += 1
        labels = {"Dmain": [labels, fake_labels], "Dreg": [labels]}.get(name, [fake_labels])
        self.critics.append(_Critic(self.discriminator, labels))
        return self.critics[-1]

    def apply_gradients(self, updates, computed):
        self.applied.append(computed[0])
        super().apply_gradients(updates, computed)


class _Critic(Critic):
    """A critic with its own labels for each forward pass, which keeps the logits."""

    def __init__(self, discriminator, labels):
        super().__init__(discriminator, lambda images, rng: images, labels[0], None)
        self._each, self.seen = list(labels), []

    def forward(self, images):
        self.labels = self._each.pop(0)
        self.seen.append(super().forward(images))
        return self.seen[-1]

    def on_augmented(self, images):
        self.seen.append(super().on_augmented(images))
        return self.seen[-1]


def _outputs(file, iteration, model, logs):
    """Compares the logits and losses of each phase; ganlib's are means."""
    seen = dict(zip(PHASES, (critic.seen for critic in model.critics), strict=True))
    logits = {"Gmain/Loss/scores/fake": seen["Gmain"][0], "Dmain/Loss/scores/real": seen["Dmain"][0]}
    logits["Dmain/Loss/scores/fake"] = seen["Dmain"][1]
    means = {"Gmain/Loss/G/loss": logs["generator_loss"], "Dmain/Loss/D/loss": logs["discriminator_loss"]}
    if f"out/iter{iteration}/pl_mean" in file:
        logits |= {"Dreg/Loss/scores/real": seen["Dreg"][0], "pl_mean": model.path_length.state.length}
        path_length, r1 = (logs[name] / interval for name, interval in _intervals(file))
        means |= {"Greg/Loss/G/reg": path_length, "Greg/Loss/pl_penalty": path_length / file.meta["pl_weight"]}
        means |= {"Dreg/Loss/D/reg": r1, "Dreg/Loss/r1_penalty": 2.0 * r1 / file.meta["r1_gamma"]}
    references = file.group(f"out/iter{iteration}/")
    assert set(references) == {*logits, *means}
    return {
        "logits, mean path length": comparison.largest(logits, {name: references[name] for name in logits}),
        "losses, penalties": comparison.largest(means, {name: np.mean(references[name]) for name in means}),
    }


def _intervals(file):
    """Returns the names of both penalties in the logs, with their intervals, by which they are multiplied."""
    return ("generator_path_length", file.meta["G_reg_interval"]), ("r1", file.meta["D_reg_interval"])


def _gradients(file, model, names):
    """Compares the gradients that Adam gets in each phase of the first step."""
    result = {}
    for phase, gradients in zip(PHASES, model.applied, strict=True):
        values, references = names[phase[0]].gradients(gradients), file.group(f"grad/iter0/{phase}/")
        compare = stylegan2.of_second_order if phase.endswith("reg") else comparison.largest
        result[f"gradients of {phase}"] = compare(values, references)
    return result


def _changes(file, key, model, names):
    """Compares how far each weight has moved since the start, relative to its largest movement."""
    mapping, others = [], []
    for net, network in (("G", model.generator), ("D", model.discriminator), ("G_ema", model.ema_generator)):
        values, before = names[net[0]].weights(network), file.group(f"state/{net[0]}/")
        for name, reference in file.group(f"{key}/{net}/").items():
            if name.endswith("resample_filter"):
                continue
            movement = np.abs(reference.astype(np.float64) - before[name]).max()
            group = mapping if name.startswith("mapping.fc") else others
            group.append(comparison.difference(values[name], reference, movement))
    return {"change of the mapping layers": max(mapping), "change of other weights": max(others)}


def _add(result, differences):
    """Keeps the larger difference of each family."""
    for name, value in differences.items():
        result[name] = max(value, result.get(name, 0.0))
