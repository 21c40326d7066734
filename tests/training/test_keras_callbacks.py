"""Each callback of Keras does what it promises, or one line says what to use instead."""

import csv
import sys

import keras
import numpy as np
import pytest

import ganlib
from ganlib.networks import mlp
from tests.helpers import SHAPE, mlp_gan, same, weights

callbacks = keras.callbacks


def fitted(images, *given, gan=None, epochs=2, **arguments):
    gan = gan or mlp_gan()
    history = gan.fit(images, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=list(given), **arguments)
    return gan, history.history


def classifier():
    model = ganlib.SupervisedClassifier(ganlib.Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 3))
    model.compile()
    return model


def test_early_stopping_restores_the_best_weights(images):
    first, _ = fitted(images, epochs=1)
    keras.utils.set_random_seed(0)
    arguments = {"mode": "min", "min_delta": 1e9, "patience": 2, "restore_best_weights": True}
    stopped, logs = fitted(images, callbacks.EarlyStopping("generator_loss", **arguments), epochs=9)
    assert len(logs["generator_loss"]) == 3  # no later epoch is better than the first one by 1e9
    assert same(weights(first), weights(stopped))


@pytest.mark.parametrize("name", ["gan.keras", "gan.weights.h5"])
def test_model_checkpoint_saves_what_training_continues_with_bit_for_bit(images, tmp_path, name):
    save = callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=name.endswith("h5"))
    gan, _ = fitted(images, save)
    if name.endswith("h5"):
        loaded = mlp_gan()
        loaded.load_weights(tmp_path / name)
    else:
        loaded = keras.saving.load_model(tmp_path / name)
    assert same(weights(gan), weights(loaded))
    logs = [fitted(images, gan=model)[1] for model in (gan, loaded)]
    assert logs[0] == logs[1]
    assert same(weights(gan), weights(loaded))


def test_backup_and_restore_continues_bit_for_bit(images, tmp_path):
    class Killed(Exception):
        pass

    class Kill(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Killed

    keras.utils.set_random_seed(0)
    whole, _ = fitted(images, epochs=4)
    keras.utils.set_random_seed(0)
    with pytest.raises(Killed):
        fitted(images, callbacks.BackupAndRestore(tmp_path), Kill(), epochs=4)
    keras.utils.set_random_seed(1)
    resumed, logs = fitted(images, callbacks.BackupAndRestore(tmp_path), epochs=4)
    assert len(logs["generator_loss"]) == 2
    assert same(weights(whole), weights(resumed))


def test_csv_logger(images, tmp_path):
    _, logs = fitted(images, callbacks.CSVLogger(tmp_path / "log.csv"))
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["generator_loss"]) for row in rows] == pytest.approx(logs["generator_loss"])


def test_learning_rate_scheduler_sets_the_rate_of_each_optimizer(images):
    gan = mlp_gan()
    gan.compile(keras.optimizers.SGD(0.4), keras.optimizers.SGD(0.1))
    _, logs = fitted(images, callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2.0), gan=gan)
    rates = [float(optimizer.learning_rate) for optimizer in gan.optimizers]
    assert rates == pytest.approx([0.1, 0.025])
    if "learning_rate_generator_optimizer" in logs:  # versions of Keras that know of several optimizers
        assert logs["learning_rate_discriminator_optimizer"] == pytest.approx([0.05, 0.025])


def test_reduce_lr_on_plateau_reduces_each_rate(images):
    gan = mlp_gan()
    gan.compile(keras.optimizers.SGD(0.4), keras.optimizers.SGD(0.1))
    reduce = callbacks.ReduceLROnPlateau(monitor="generator_loss", mode="min", factor=0.5, patience=1, min_delta=1e9)
    fitted(images, reduce, gan=gan, epochs=2)
    assert [float(optimizer.learning_rate) for optimizer in gan.optimizers] == pytest.approx([0.2, 0.05])


def test_a_rate_that_is_a_schedule_cannot_be_set(images):
    gan = mlp_gan()
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    gan.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(0.1))
    with pytest.raises(ganlib.UserError, match="^generator_optimizer has a schedule as its learning rate[^\n]*$"):
        fitted(images, callbacks.LearningRateScheduler(lambda epoch: 0.1), gan=gan)


def test_a_single_rate_of_different_optimizers_is_one_line():
    gan = mlp_gan()
    gan.optimizer.learning_rate = 0.5
    assert [float(optimizer.learning_rate) for optimizer in gan.optimizers] == [0.5, 0.5]
    assert float(gan.optimizer.learning_rate) == 0.5
    gan.generator_optimizer.learning_rate = 0.25
    message = "no single learning rate .generator_optimizer 0.25, discriminator_optimizer 0.5."
    with pytest.raises(ganlib.UserError, match=message):
        _ = gan.optimizer.learning_rate


def test_terminate_on_nan(images, labels):
    with pytest.raises(ganlib.UserError, match="reads the log 'loss', .* use ganlib.training.callbacks.StopAtNonFinite"):
        fitted(images, callbacks.TerminateOnNaN())
    model = classifier()
    model.compile(keras.optimizers.SGD(np.inf))
    model.fit(images, labels, batch_size=8, epochs=9, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert int(model.step) < 9 * 3


def test_tensorboard_without_its_package_is_one_line(images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ganlib.UserError, match="^keras.callbacks.TensorBoard needs the package tensorboard[^\n]*$"):
        fitted(images, callbacks.TensorBoard(tmp_path))


def test_tensorboard(images, tmp_path):
    pytest.importorskip("tensorboard")
    fitted(images, callbacks.TensorBoard(tmp_path, write_steps_per_second=True))
    assert list(tmp_path.rglob("events.*"))


def test_weights_averaged_by_an_optimizer_are_used_at_the_end(images):
    def trained(images):
        keras.utils.set_random_seed(0)
        gan = mlp_gan()
        gan.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=1.0), "sgd")
        return weights(fitted(images, gan=gan, epochs=1)[0].generator)

    assert same(trained(images), trained(images[:8]))  # Keras's average with a momentum of 1 stays at the first update
