"""Checkpoints of a model in training. They are written atomically, and the newest undamaged checkpoint is restored.

A checkpoint is a folder ``step_00001000``. It is written under another name and renamed when it is complete, so a folder with
this name is always complete, even if the job is killed. When a checkpoint is rewritten, the old one is renamed to
``step_00001000.replaced`` and remains valid until the new one is in place. Training waits only for a copy of the weights; a
thread writes them. A process that has lost the lock on the folder writes and removes nothing: see `ganlib.locks`.

A damaged checkpoint is detected when it is read: TensorFlow verifies a checksum of every tensor, and the notes have a checksum
too. `Checkpoints.restore` then restores the previous checkpoint, and `Checkpoints.set_aside_after` renames the damaged one to
``step_00001000.damaged``, so that training can write this step again.
"""

import concurrent.futures
import contextlib
import json
import logging
import os
import pathlib
import shutil
import zlib

import numpy as np
import tensorflow as tf

from ganlib import locks
from ganlib.errors import UserError, first_line
from ganlib.files import unique_name
from ganlib.training import strategy

NOTES = "notes.json"
_PREFIX = "step_"
_PARTIAL = ".partial"
_REPLACED = ".replaced"
_MARGIN = 1.2  # for the index and the overhead of the file system
_WRITER = concurrent.futures.ThreadPoolExecutor(1, "checkpoints")  # a single thread writes all checkpoints in order


class _Damaged(Exception):
    """The notes or the step of a checkpoint differ from those that were written."""


class Checkpoints:
    """The checkpoints of one model in one folder.

    Args:
        folder: The folder of the checkpoints. It is created if it does not exist.
        model: A compiled `ganlib.training.DistributedModel`. All its weights, the state of its optimizers and its random
            state are saved, in their order.
        keep: The number of checkpoints to keep. Older ones are removed after a new one is complete. None keeps all. Defaults to
            2.

    Attributes:
        notes: A JSON-serializable dict that is saved with the weights and restored by `restore`.
    """

    def __init__(self, folder, model, keep=2):
        self.folder, self.model, self.keep = pathlib.Path(folder), model, keep
        self.notes = {}
        self._writing = None
        self._copy = None

    def steps(self):
        """Returns the steps of the complete checkpoints in ascending order."""
        names = {name.removeprefix(_PREFIX).removesuffix(_REPLACED) for name in self._names()}
        return sorted(int(name) for name in names if name.isdigit())

    def _names(self):
        """Returns the names in the folder that begin like those of checkpoints. A missing folder has none.

        `pathlib.Path.glob` would also return none if the file system fails, and the training would start again.
        """
        try:
            return [name for name in os.listdir(self.folder) if name.startswith(_PREFIX)]
        except FileNotFoundError:
            return []

    def save(self, anew=False):
        """Starts writing a checkpoint of the current model. With several workers, only the chief writes.

        Args:
            anew: Whether to replace an existing checkpoint of this step and keep its notes. Defaults to False.

        Raises:
            UserError: If a weight is not finite, there is not enough disk space, or the last checkpoint could not be written.
                Earlier checkpoints stay unchanged.
        """
        self.wait()
        step = int(self.model.step.numpy())
        with self._as_user_error(step):
            existing = self._path(step)
            exists = existing.exists()
            if (exists and not anew) or not strategy.is_chief(self.model.distribute_strategy):
                return
            notes = (existing / NOTES).read_text() if exists else _notes_as_text(step, self.notes)
        variables = all_variables(self.model)
        values = [v.value.numpy() for v in variables]
        self._check_finite(step, variables, values)
        with self._as_user_error(step):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_disk(values)
        self._writing = step, _WRITER.submit(self._write, step, values, notes)

    def wait(self):
        """Waits until the checkpoint that `save` started is written.

        Raises:
            UserError: If it could not be written.
        """
        if self._writing:
            (step, future), self._writing = self._writing, None
            with self._as_user_error(step):
                future.result()

    def _write(self, step, values, notes):
        path = self.folder / f"{_PREFIX}{step:08d}"
        partial, replaced = path.with_suffix(f".{unique_name()}{_PARTIAL}"), path.with_suffix(_REPLACED)
        self._remove_partial()
        try:
            with tf.device("CPU:0"):
                self._checkpoint_of(values).write(str(partial / "weights"))
            (partial / NOTES).write_text(notes)
            locks.check()
            if path.exists():
                shutil.rmtree(replaced, ignore_errors=True)
                os.replace(path, replaced)
            os.replace(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
        if self.keep:
            for old_step in [saved for saved in self.steps() if saved <= step][: -self.keep]:
                self.remove(old_step)

    def _remove_partial(self):
        """Removes what killed processes left of unfinished checkpoints. A frozen process then cannot complete its own."""
        locks.check()
        for name in self._names():
            if name.endswith(_PARTIAL):
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def _checkpoint_of(self, values):
        """Returns a `tf.train.Checkpoint` with copies of values. Its variables are created once, since that is slow."""
        if self._copy is None:
            self._copy = tf.train.Checkpoint(variables=[tf.Variable(value) for value in values])
        else:
            for variable, value in zip(self._copy.variables, values, strict=True):
                variable.assign(value)
        return self._copy

    @contextlib.contextmanager
    def _as_user_error(self, step):
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            with contextlib.suppress(OSError):
                locks.check()  # a job that takes over the folder removes the file that is being written
            raise UserError(
                f"checkpoint of step {step} could not be written to {str(self.folder)!r} "
                f"({first_line(error)}){self._last_good_step()}"
            ) from None

    def restore(self):
        """Restores the newest checkpoint that can be read, and logs a warning for each newer one that cannot be read.

        Returns:
            The step of the checkpoint, or None if there is no checkpoint.

        Raises:
            UserError: If there are checkpoints, but none can be read.
        """
        wait_for_all()
        # A flat list is needed because TensorFlow's object graph misses layers that a Keras layer holds in a list.
        checkpoint = tf.train.Checkpoint(variables=[v.value for v in all_variables(self.model)])

        def read(step, reader):
            difference = self._difference(reader)
            if difference:
                raise UserError(
                    f"checkpoint {str(self._path(step))!r} belongs to another model ({difference}): "
                    "restore its config or set another --workdir"
                )
            self._check_step(step, reader)
            checkpoint.read(str(self._path(step) / "weights")).assert_existing_objects_matched().assert_consumed()

        return self._read_newest(read)

    def find(self):
        """Returns the step of the newest checkpoint that can be read, or None, and sets `notes` to its notes.

        Logs a warning for each newer checkpoint that cannot be read. The model stays unchanged.
        """

        def read(step, reader):
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)  # verifies its checksum

        try:
            return self._read_newest(read)
        except UserError:
            return None

    def set_aside_after(self, step):
        """Renames the checkpoints of later steps, which `restore` found damaged, to ``step_00001000.damaged``.

        Their names are needed for new checkpoints. An earlier damaged checkpoint of the same step is replaced. What killed
        processes left of unfinished checkpoints is removed.
        """
        if strategy.is_chief(self.model.distribute_strategy):
            self._remove_partial()
            for later in [saved for saved in self.steps() if saved > step]:
                damaged = self.folder / f"{_PREFIX}{later:08d}.damaged"
                shutil.rmtree(damaged, ignore_errors=True)
                os.replace(self._path(later), damaged)

    def remove(self, step):
        """Removes the checkpoint of a step. With several workers, only the chief does."""
        if strategy.is_chief(self.model.distribute_strategy):
            locks.check()
            path = self.folder / f"{_PREFIX}{step:08d}"
            for folder in (path, path.with_suffix(_REPLACED)):
                shutil.rmtree(folder, ignore_errors=True)

    def fingerprint(self):
        """Returns 8 hexadecimal digits that identify the newest checkpoint's content, or "" if there is no checkpoint."""
        newest = self.steps()[-1:]
        return "".join(f"{zlib.crc32((self._path(step) / 'weights.index').read_bytes()):08x}" for step in newest)

    def _read_newest(self, read):
        """Calls ``read(step, reader)`` for checkpoints, newest first, until one succeeds, and sets `notes`.

        Returns:
            The step, or None if there are no checkpoints.

        Raises:
            UserError: If none of the checkpoints can be read.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                notes = _notes_from_bytes(step, (self._path(step) / NOTES).read_bytes())
                read(step, tf.train.load_checkpoint(str(self._path(step) / "weights")))
            except (OSError, IndexError, tf.errors.OpError, _Damaged) as error:  # IndexError: a truncated file
                message = "checkpoint %s is damaged and was skipped: %s"
                logging.getLogger("ganlib").warning(message, self._path(step), first_line(error))
                continue
            self.notes.clear()
            self.notes.update(notes)
            return step
        if steps:
            raise UserError(
                f"none of the {len(steps)} checkpoints in {str(self.folder)!r} can be read: move them away to start afresh"
            )
        return None

    def _check_step(self, step, reader):
        """Checks the step of a checkpoint, since its folder may have been replaced by that of another checkpoint."""
        index = [id(v) for v in all_variables(self.model)].index(id(self.model.step))
        saved = int(reader.get_tensor(_variable_name(index)))
        if saved != step:
            raise _Damaged(f"it contains step {saved}")

    def _difference(self, reader):
        """Describes the first difference between a checkpoint and the model. Returns an empty string if there is none."""
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        saved = [name for name in shapes if name.startswith("variables/")]
        variables = all_variables(self.model)
        if len(saved) != len(variables):
            return f"it has {len(saved)} variables, the model has {len(variables)}"
        for index, variable in enumerate(variables):
            name, value = _variable_name(index), variable.value
            if (tuple(shapes[name]), types[name]) != (tuple(value.shape), value.dtype):
                return (
                    f"{variable.path} is {value.dtype.name} {tuple(value.shape)}, not {types[name].name} {tuple(shapes[name])}"
                )
        return ""

    def _path(self, step):
        """Returns the folder of a checkpoint: the replaced one if the process was killed before the new one was in place."""
        path = self.folder / f"{_PREFIX}{step:08d}"
        replaced = path.with_suffix(_REPLACED)
        return replaced if replaced.exists() and not path.exists() else path

    def _check_finite(self, step, variables, values):
        """Checks that all weights are finite.

        After a finite loss, the update can still be non-finite. Only the next loss, after this save, would show it.
        """
        weights = {id(variable) for variable in self.model.weights}
        for variable, value in zip(variables, values, strict=True):
            if id(variable) in weights and variable.value.dtype.is_floating and not np.isfinite(value).all():
                raise UserError(
                    f"training stopped at step {step}: the weights {variable.path!r} are not finite and were not saved"
                    f"{self._last_good_step()}. Lower the learning rate, or set a penalty on the discriminator"
                )

    def _check_disk(self, values):
        needed = int(_MARGIN * sum(value.nbytes for value in values))
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise OSError(f"it needs {needed / 1e6:.1f} MB, but {free / 1e6:.1f} MB are free: free up disk space")

    def _last_good_step(self):
        """Returns the part of an error message that names the last good checkpoint."""
        try:
            steps = self.steps()
        except OSError:  # the file system does not answer
            return ""
        return f"; the checkpoint of step {steps[-1]} is still good" if steps else ""


def wait_for_all():
    """Waits until this process has written all its checkpoints."""
    _WRITER.submit(lambda: None).result()


def all_variables(model):
    """Returns all Keras variables of a model and of its optimizers, each once, in the order of their creation."""
    variables = [*model.variables, *(v for optimizer in model.optimizers for v in optimizer.variables)]
    return list({id(v): v for v in variables}.values())


def _variable_name(index):
    """Returns the name of a variable in a `tf.train.Checkpoint` of a list of variables."""
    return f"variables/{index}/.ATTRIBUTES/VARIABLE_VALUE"


def _notes_as_text(step, notes):
    """Serializes the notes with the step and a checksum."""
    text = json.dumps(notes)
    return json.dumps({"step": step, "crc32": zlib.crc32(text.encode()), "notes": text})


def _notes_from_bytes(step, content):
    """Parses the notes of a checkpoint.

    Raises:
        _Damaged: If they are not the notes that were written for this step.
    """
    try:
        saved = json.loads(content)
        if "crc32" not in saved:
            return dict(saved)  # written by an earlier version without checksums
        if saved["step"] != step or zlib.crc32(saved["notes"].encode()) != saved["crc32"]:
            raise _Damaged(f"{NOTES} does not match its step and checksum")
        return json.loads(saved["notes"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _Damaged(f"{NOTES}: {error}") from None
