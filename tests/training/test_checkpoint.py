import contextlib
import importlib
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.locks import locked
from ganlib.networks import mlp
from ganlib.training import checkpoint
from tests.helpers import SHAPE, adam, dcgan_gan, mlp_gan, replicas, same, slow_beyond, weights


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    gan = dcgan_gan(run_eagerly=True)
    checkpoints = checkpoint.Checkpoints(tmp_path_factory.mktemp("trained_once") / "checkpoints", gan)
    states = {}
    for step in (1, 2):
        gan.fit(data.batches(data.open("digits"), 8, start_step=step - 1), steps_per_epoch=1, verbose=0)
        checkpoints.save()
        states[step] = weights(gan)
    checkpoints.wait()
    return gan, checkpoints.folder, states, [variable.numpy() for variable in checkpoint.all_variables(gan)]


@pytest.fixture
def trained(trained_once, tmp_path):
    """Returns a GAN after 2 steps, its checkpoints of steps 1 and 2, and the weights of both steps."""
    gan, folder, states, values = trained_once
    for variable, value in zip(checkpoint.all_variables(gan), values, strict=True):
        variable.assign(value)
    shutil.copytree(folder, tmp_path / "checkpoints")
    return gan, checkpoint.Checkpoints(tmp_path / "checkpoints", gan), states


def test_newest_checkpoint_is_restored_with_optimizers_and_step(trained):
    gan, checkpoints, states = trained
    other = dcgan_gan()
    assert checkpoint.Checkpoints(checkpoints.folder, other).restore() == 2
    assert same(states[2], weights(other))
    assert int(other.step) == 2
    for a, b in zip(gan.generator_optimizer.variables, other.generator_optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["mlp", "dcgan", "resnet", "improved_mlp", "improved_conv"])
def test_every_variable_of_every_network_is_restored(tmp_path, name):
    """This includes layers in a list, such as the blocks of resnet, which TensorFlow's object graph misses."""
    module = importlib.import_module(f"ganlib.networks.{name}")

    def make(seed):
        keras.utils.set_random_seed(seed)
        gan = ganlib.GAN(module.Generator((16, 16, 1), 4, width=8), module.Discriminator((16, 16, 1), width=8))
        gan.compile(adam(), adam())
        for index, variable in enumerate(checkpoint.all_variables(gan)):
            variable.assign(tf.cast(tf.fill(variable.shape, index + seed), variable.dtype))
        return gan

    first, other = make(1), make(2)
    checkpoint.Checkpoints(tmp_path, first).save()
    checkpoint.Checkpoints(tmp_path, other).restore()
    networks = first.generator, first.discriminator, first.ema_generator
    assert {id(v) for network in networks for v in network.variables} <= {id(v) for v in checkpoint.all_variables(first)}
    for a, b in zip(checkpoint.all_variables(first), checkpoint.all_variables(other), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=a.path)


def test_restore_without_checkpoints_returns_none(tmp_path):
    assert checkpoint.Checkpoints(tmp_path / "none", mlp_gan()).restore() is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove index", "empty folder"])
def test_damaged_checkpoint_is_skipped_with_a_warning(trained, damage, caplog):
    _, checkpoints, states = trained
    folder = checkpoints.folder / "step_00000002"
    tensors = next(folder.glob("*.data-*"))
    content = tensors.read_bytes()
    if damage == "truncate":
        tensors.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        tensors.write_bytes(bytes(b ^ 0xFF for b in content))
    elif damage == "remove index":
        (folder / "weights.index").unlink()
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    other = dcgan_gan()
    assert checkpoint.Checkpoints(checkpoints.folder, other).restore() == 1
    assert same(states[1], weights(other))
    assert "step_00000002 is damaged and was skipped" in caplog.text


def test_restore_raises_if_all_checkpoints_are_damaged(trained):
    _, checkpoints, _ = trained
    for index in checkpoints.folder.glob("*/weights.index"):
        index.write_bytes(b"nothing")
    with pytest.raises(ganlib.UserError, match="none of the 2 checkpoints in .* can be read"):
        checkpoint.Checkpoints(checkpoints.folder, dcgan_gan()).restore()


def test_checkpoint_of_another_model_raises(trained):
    _, checkpoints, _ = trained
    with pytest.raises(ganlib.UserError, match=r"2' belongs to another model \(it has \d+ variables, the model has \d+\)"):
        checkpoint.Checkpoints(checkpoints.folder, mlp_gan()).restore()


def test_checkpoint_with_other_shapes_raises(tmp_path):
    checkpoint.Checkpoints(tmp_path, mlp_gan()).save()
    wider = ganlib.GAN(mlp.Generator(SHAPE, latent_dim=4, width=17, normalization=None), mlp.Discriminator(SHAPE, width=16))
    wider.compile(adam(), adam())
    with pytest.raises(
        ganlib.UserError, match=r"belongs to another model \(.*kernel is float32 \(4, 17\), not float32 \(4, 16\)\)"
    ):
        checkpoint.Checkpoints(tmp_path, wider).restore()


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    gan = mlp_gan()
    checkpoints = checkpoint.Checkpoints(tmp_path, gan, keep=2)
    for step in range(1, 5):
        gan.step.assign(step)
        checkpoints.save()
    checkpoints.wait()
    assert checkpoints.steps() == [3, 4]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step_00000003", "step_00000004"]


def test_partial_checkpoint_is_ignored_and_removed_at_the_next_start(trained):
    _, checkpoints, _ = trained
    partial = checkpoints.folder / "step_00000003.01234567.partial"
    partial.mkdir()
    assert checkpoints.steps() == [1, 2]
    checkpoints.set_aside_after(2)
    assert not partial.exists()


def files_of(folder):
    return {path: path.is_dir() or path.read_bytes() for path in folder.rglob("*")}


def test_nothing_is_written_or_removed_without_the_lock(trained):
    gan, checkpoints, _ = trained
    before = files_of(checkpoints.folder)
    gan.step.assign(3)

    def save():
        checkpoints.save()
        checkpoints.wait()

    with locked(checkpoints.folder):
        (checkpoints.folder / ".lock-1").unlink()
        for write in (save, lambda: checkpoints.remove(1), lambda: checkpoints.set_aside_after(1)):
            with pytest.raises(ganlib.UserError, match="lock-1' was removed"):
                write()
    assert files_of(checkpoints.folder) == before


@pytest.mark.parametrize("action", ["writing", "renaming"])
def test_job_that_loses_the_lock_while_it_writes_a_checkpoint_says_so(trained, monkeypatch, action):
    """The job that takes over has removed the unfinished checkpoint, so that TensorFlow or the renaming fails."""
    gan, checkpoints, _ = trained
    before = files_of(checkpoints.folder)
    gan.step.assign(3)

    def lose(*arguments):
        (checkpoints.folder / ".lock-1").unlink()
        (partial,) = checkpoints.folder.glob("*.partial")
        shutil.rmtree(partial)
        raise FileNotFoundError("No such file or directory")

    with locked(checkpoints.folder):
        monkeypatch.setattr(*{"writing": (pathlib.Path, "write_text"), "renaming": (os, "replace")}[action], lose)
        checkpoints.save()
        with pytest.raises(ganlib.UserError, match="lock-1' was removed"):
            checkpoints.wait()
        monkeypatch.undo()
    assert files_of(checkpoints.folder) == before


def test_full_disk_keeps_the_previous_checkpoint(trained, monkeypatch):
    gan, checkpoints, states = trained
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda path: usage)
    gan.step.assign(3)
    with pytest.raises(ganlib.UserError, match=r"step 3 could not be written .*needs 0.\d MB.*of step 2 is still good"):
        checkpoints.save()
    monkeypatch.undo()
    assert [p.name for p in sorted(checkpoints.folder.iterdir())] == ["step_00000001", "step_00000002"]
    other = dcgan_gan()
    assert checkpoint.Checkpoints(checkpoints.folder, other).restore() == 2
    assert same(states[2], weights(other))


def test_non_finite_weights_are_not_saved(trained):
    gan, checkpoints, _ = trained
    gan.step.assign(3)
    variable = gan.discriminator.trainable_variables[-1]
    variable.assign(variable * np.inf)
    with pytest.raises(ganlib.UserError, match=r"at step 3: the weights .* are not finite.*checkpoint of step 2 is still good"):
        checkpoints.save()
    assert checkpoints.steps() == [1, 2]


def test_failed_write_leaves_no_files(trained, monkeypatch):
    gan, checkpoints, _ = trained

    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "replace", fail)
    gan.step.assign(3)
    checkpoints.save()
    with pytest.raises(ganlib.UserError, match="step 3 could not be written .*No space left on device.*checkpoint of step 2"):
        checkpoints.wait()
    assert [p.name for p in sorted(checkpoints.folder.iterdir())] == ["step_00000001", "step_00000002"]
    checkpoints.wait()  # the error is raised only once


def test_training_continues_while_a_checkpoint_is_written(trained):
    gan, checkpoints, _ = trained
    gan.step.assign(3)
    saved = weights(gan)
    checkpoints.save()
    for variable in gan.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    other = dcgan_gan()
    assert checkpoint.Checkpoints(checkpoints.folder, other).restore() == 3
    assert same(saved, weights(other))


@pytest.mark.parametrize(("before", "after"), slow_beyond([(1, 2), (2, 1)], 1))
def test_training_resumes_with_another_number_of_replicas(float64, tmp_path, before, after):
    """With Adam's moments, augmentation and penalties, the weights equal those of an uninterrupted run."""
    source = data.open("digits")

    def gan_on(count):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            return mlp_gan(num_classes=10, augment="translation", penalties=[ganlib.penalties.R1(1.0, interval=2)])

    def fit(gan, start, steps):
        gan.fit(data.batches(source, 16, start_step=start), steps_per_epoch=steps, verbose=0)

    uninterrupted, first, second = gan_on(before), gan_on(before), gan_on(after)
    fit(uninterrupted, 0, 8)
    fit(first, 0, 3)
    checkpoint.Checkpoints(tmp_path, first).save()
    assert checkpoint.Checkpoints(tmp_path, second).restore() == 3
    assert same(weights(first), weights(second))
    fit(second, 3, 5)
    assert second.step.numpy() == 8
    for a, b in zip(weights(uninterrupted), weights(second), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_rewritten_checkpoint_keeps_its_notes(trained):
    gan, checkpoints, _ = trained
    checkpoints.notes["seen"] = 7
    (checkpoints.folder / "step_00000002" / checkpoint.NOTES).write_text('{"seen": 5}')
    gan.ema_generator.set_weights([w + 1 for w in weights(gan.ema_generator)])
    checkpoints.save()
    other = dcgan_gan()
    other_checkpoints = checkpoint.Checkpoints(checkpoints.folder, other)
    other_checkpoints.restore()
    assert not same(weights(gan), weights(other))
    checkpoints.save(anew=True)
    assert other_checkpoints.restore() == 2
    assert same(weights(gan), weights(other))
    assert other_checkpoints.notes == {"seen": 5}
    assert sorted(p.name for p in checkpoints.folder.iterdir()) == ["step_00000001", "step_00000002"]


@pytest.mark.parametrize("killed_at", [0, 1, 2])
def test_kill_while_rewriting_keeps_a_valid_checkpoint(trained, monkeypatch, killed_at):
    """After a kill at or after the two renames, the old or the new checkpoint is valid, and the next save replaces it."""
    gan, checkpoints, states = trained
    renames, replace = [], checkpoint.os.replace

    def rename(*arguments):
        if len(renames) == killed_at:
            raise KeyboardInterrupt
        replace(*arguments)
        renames.append(arguments)

    monkeypatch.setattr(checkpoint.os, "replace", rename)
    monkeypatch.setattr(checkpoint.shutil, "rmtree", lambda *_, **__: None)  # a killed process removes nothing
    gan.ema_generator.set_weights([w + 1 for w in weights(gan.ema_generator)])
    with contextlib.suppress(KeyboardInterrupt):
        checkpoints.save(anew=True)
        checkpoints.wait()
    monkeypatch.undo()
    other = dcgan_gan()
    other_checkpoints = checkpoint.Checkpoints(checkpoints.folder, other)
    assert other_checkpoints.steps() == [1, 2]
    assert other_checkpoints.restore() == 2
    assert same(weights(other), weights(gan) if killed_at == 2 else states[2])
    other.ema_generator.set_weights(weights(gan.ema_generator))
    other_checkpoints.save(anew=True)
    third = dcgan_gan()
    assert checkpoint.Checkpoints(checkpoints.folder, third).restore() == 2
    assert same(weights(third), weights(gan))
    assert sorted(p.name for p in checkpoints.folder.iterdir()) == ["step_00000001", "step_00000002"]


@pytest.fixture(scope="module")
def two_steps(tmp_path_factory):
    """Returns a GAN and a folder with its checkpoints of steps 1 and 2, which have different weights."""
    gan, folder = mlp_gan(), tmp_path_factory.mktemp("two_steps")
    checkpoints = checkpoint.Checkpoints(folder, gan)
    for step in (1, 2):
        gan.step.assign(step)
        gan.generator.set_weights([w + step for w in gan.generator.get_weights()])
        checkpoints.notes["number"] = step
        checkpoints.save()
    checkpoints.wait()
    return gan, folder


def truncate(content, older):
    return content[: len(content) // 2]


def empty(content, older):
    return b""


def flip(content, older):
    half = len(content) // 2
    return content[:half] + bytes([content[half] ^ 0x10]) + content[half + 1 :]


def flip_early(content, older):
    return content[:9] + bytes([content[9] ^ 0x01]) + content[10:]


def older(content, older):
    return older


INDEX, TENSORS = "weights.index", "weights.data-00000-of-00001"


@pytest.mark.parametrize("damage", [truncate, empty, flip, flip_early, older])
@pytest.mark.parametrize("names", [(INDEX,), (TENSORS,), (checkpoint.NOTES,), (INDEX, TENSORS)])
def test_damaged_checkpoint_is_replaced_by_a_new_one(two_steps, tmp_path, names, damage):
    """If any file is damaged, the previous checkpoint is restored, and the step can be written and restored again."""
    gan, folder = two_steps
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for name in names:
        path, before = tmp_path / "step_00000002" / name, tmp_path / "step_00000001" / name
        path.write_bytes(damage(path.read_bytes(), before.read_bytes()))
    checkpoints = checkpoint.Checkpoints(tmp_path, gan)
    assert checkpoints.restore() == 1
    assert checkpoints.notes == {"number": 1}
    checkpoints.set_aside_after(1)
    assert checkpoints.steps() == [1]
    gan.step.assign(2)
    gan.generator.set_weights([w + 7 for w in gan.generator.get_weights()])
    written = weights(gan)
    checkpoints.save()
    checkpoints.wait()
    gan.generator.set_weights([w * 0 for w in gan.generator.get_weights()])
    assert checkpoints.restore() == 2
    assert same(weights(gan), written)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step_00000001", "step_00000002", "step_00000002.damaged"]


def test_damage_to_any_byte_of_an_index_is_harmless(two_steps, tmp_path):
    gan, folder = two_steps
    shutil.copytree(folder / "step_00000001", tmp_path / "step_00000001")
    path = tmp_path / "step_00000001/weights.index"
    content, expected = path.read_bytes(), None
    checkpoints = checkpoint.Checkpoints(tmp_path, gan)
    for position in [None, *range(0, len(content), 23), *range(len(content) - 48, len(content), 5)]:
        path.write_bytes(
            content if position is None else content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :]
        )
        try:
            assert checkpoints.restore() == 1
        except ganlib.UserError:
            continue
        expected = expected or weights(gan)
        assert same(weights(gan), expected)  # damage at the end may not be noticed, since not all bytes there are read


def test_notes_without_checksums_are_read(two_steps, tmp_path):
    gan, folder = two_steps
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "step_00000002" / checkpoint.NOTES).write_text('{"steps": 3}')
    checkpoints = checkpoint.Checkpoints(tmp_path, gan)
    assert checkpoints.restore() == 2
    assert checkpoints.notes == {"steps": 3}


def test_checkpoint_of_a_later_step_does_not_remove_a_new_one(two_steps, tmp_path):
    gan, _ = two_steps
    checkpoints = checkpoint.Checkpoints(tmp_path, gan, keep=1)
    for step in (900, 600):
        gan.step.assign(step)
        checkpoints.save()
    checkpoints.wait()
    assert checkpoints.steps() == [600, 900]


def test_find_does_not_change_weights(two_steps, tmp_path):
    gan, folder = two_steps
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "step_00000002/weights.data-00000-of-00001"
    path.write_bytes(flip(path.read_bytes(), b""))
    gan.step.assign(9)
    before = weights(gan)
    checkpoints = checkpoint.Checkpoints(tmp_path, gan)
    assert checkpoints.find() == 1
    assert checkpoints.notes == {"number": 1}
    assert same(weights(gan), before)
