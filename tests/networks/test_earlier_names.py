"""Custom networks, penalties and schedules that were written for earlier versions."""

import numpy as np
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.networks import mlp
from ganlib.training import schedules
from tests.helpers import SHAPE, adam, replicas


class Noisy(mlp.Generator):
    """Overrides a method by its earlier name, and calls another."""

    calls = 0

    def draws(self, count, random):
        Noisy.calls += 1
        return {}

    def call(self, latents, labels=None, training=False):
        assert self.joined(latents, labels).shape[-1] == 4
        return super().call(latents, labels, training=training)


class Smooth(penalties.Penalty):
    """Exchanges values between replicas, under the earlier name of that attribute."""

    name = "smooth"
    communicates = True

    def term(self, critic, real, fake, random):
        context = tf.distribute.get_replica_context()
        return context.all_reduce("MEAN", tf.reduce_mean(critic(real)))


class Square(schedules.Schedule):
    def way(self, share):
        return share**2


def test_they_still_train():
    with replicas(2).scope():
        gan = ganlib.GAN(Noisy(SHAPE, latent_dim=4, width=4), mlp.Discriminator(SHAPE, width=4))
        gan.compile(adam(), adam(), penalties=[Smooth(1.0, interval=2)])
    source = ganlib.data.open("digits")
    logs = gan.fit(ganlib.data.batches(source, 8, with_labels=False), steps_per_epoch=2, verbose=0).history
    assert np.isfinite(logs["smooth"][0])
    assert Noisy.calls
    assert gan.discriminator.as_in_training(3) == 3
    assert gan.generator.conditions is None


def test_a_schedule():
    assert float(Square(0.0, 1.0, 10)(5)) == 0.25


def test_a_step_that_returns_logs_of_its_own():
    class Mine(ganlib.SemiSupervisedGAN):
        def classifier_step(self, labeled, labels, unlabeled, rng):
            return {"mine": super().classifier_step(labeled, labels, unlabeled, rng)["labeled_loss"]}

    sgan = Mine(mlp.Generator(SHAPE, 4, 4), mlp.Discriminator(SHAPE, 4), 10)
    sgan.compile(adam(), adam())
    parts = ganlib.data.few_labels(ganlib.data.open("digits"), 2, 0)
    logs = sgan.fit(
        ganlib.data.semi_supervised_batches(parts.labeled, parts.unlabeled, 8), steps_per_epoch=1, verbose=0
    ).history
    assert {"mine", "generator_loss"} == set(logs)


def test_public_names():
    from ganlib.report import Table, write

    assert ganlib.report.write is write is ganlib.runs.report.write
    assert ganlib.runs.report.Table is Table
    assert ganlib.evaluation.nearest_neighbours is ganlib.evaluation.nearest_neighbors
