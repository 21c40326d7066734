"""Checkpoints of a model in training: written whole or not at all, and the newest good one restored.

A checkpoint is a folder ``step_00001000``. It is written under another name and renamed when it is complete, so a
folder of that name is never half of one, whenever the job is killed. One that is written anew first takes the name
``step_00001000.replaced``, and counts until the new one has its place. Training waits for a copy of the weights alone; a
thread writes them.

A damaged one is noticed when it is read: TensorFlow checks a checksum of every tensor, and what is beside the weights has one
of its own. `Checkpoints.restore` then takes the one before it, and `Checkpoints.set_aside_after` gives the damaged one the name
``step_00001000.damaged``, so that training can write that step again.
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

from ganlib.errors import UserError
from ganlib.training import strategy

NOTES = "notes.json"
_PREFIX = "step_"
_REPLACED = ".replaced"
_MARGIN = 1.2  # the index, and what the file system adds
_WRITER = concurrent.futures.ThreadPoolExecutor(1, "checkpoints")  # one for all, so that they are written in order


class _Damaged(Exception):
    """What is beside the weights in a checkpoint is not what was written there."""


class Checkpoints:
    """The checkpoints of one model in one folder.

    Args:
        folder: where they lie; it is made when it is missing.
        model: a compiled `ganlib.training.DistributedModel`. All its weights, its optimizers' state and its random
            state are saved, in their order.
        keep: how many to keep; older ones are removed after a new one is complete. None keeps all.

    Attributes:
        notes: a dict, ready for JSON, that is saved with the weights and is as it was then after `restore`.
    """

    def __init__(self, folder, model, keep=2):
        self.folder, self.model, self.keep = pathlib.Path(folder), model, keep
        self.notes = {}
        self._writing = None
        self._copy = None

    def steps(self):
        """The steps of the complete checkpoints, in ascending order."""
        names = {p.name.removeprefix(_PREFIX).removesuffix(_REPLACED) for p in self.folder.glob(f"{_PREFIX}*")}
        return sorted(int(name) for name in names if name.isdigit())

    def save(self, anew=False):
        """Begins to write a checkpoint of the model as it is now; of several workers the chief does.

        Args:
            anew: replace the checkpoint of this step, if there is one, and keep its notes.

        Raises:
            UserError: when a weight is not finite, the disk has no room, or the last checkpoint could not be written;
                those before stay as they are.
        """
        self.wait()
        step = int(self.model.step.numpy())
        existing = self._path(step)
        if (existing.exists() and not anew) or not strategy.is_chief(self.model.distribute_strategy):
            return
        notes = (existing / NOTES).read_text() if existing.exists() else _notes_as_text(step, self.notes)
        variables = all_variables(self.model)
        values = [v.value.numpy() for v in variables]
        self._check_finite(step, variables, values)
        with self._as_user_error(step):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_disk(values)
        self._writing = step, _WRITER.submit(self._write, step, values, notes)

    def wait(self):
        """Returns when what `save` has begun is written.

        Raises:
            UserError: if it could not be written.
        """
        if self._writing:
            (step, future), self._writing = self._writing, None
            with self._as_user_error(step):
                future.result()

    def _write(self, step, values, notes):
        place = self.folder / f"{_PREFIX}{step:08d}"
        partial, replaced = place.with_suffix(".partial"), place.with_suffix(_REPLACED)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            with tf.device("CPU:0"):
                self._checkpoint_of(values).write(str(partial / "weights"))
            (partial / NOTES).write_text(notes)
            if place.exists():
                shutil.rmtree(replaced, ignore_errors=True)
                os.replace(place, replaced)
            os.replace(partial, place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
        if self.keep:
            for old in [other for other in self.steps() if other <= step][: -self.keep]:
                self.remove(old)

    def _checkpoint_of(self, values):
        """A `tf.train.Checkpoint` of values in variables of their own, made once: that is most of the work."""
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
            raise UserError(f"checkpoint of step {step} could not be written to {str(self.folder)!r} "
                            f"({_first_line(error)}){self._still_good()}") from None  # fmt: skip

    def restore(self):
        """Restores the newest checkpoint that can be read, and says when a newer one could not.

        Returns:
            Its step, or None when there is no checkpoint.

        Raises:
            UserError: if there are checkpoints, but none can be read.
        """
        _WRITER.submit(lambda: None).result()  # what this process is writing is complete
        # As a list: TensorFlow's own walk through the model does not see layers that a Keras layer holds in a list.
        checkpoint = tf.train.Checkpoint(variables=[v.value for v in all_variables(self.model)])

        def read(step, reader):
            difference = self._difference(reader)
            if difference:
                raise UserError(f"checkpoint {str(self._path(step))!r} is of another model ({difference}): "
                                "restore its config or choose another --workdir")  # fmt: skip
            self._check_step(step, reader)
            checkpoint.read(str(self._path(step) / "weights")).assert_existing_objects_matched().assert_consumed()

        return self._newest_that(read)

    def find(self):
        """The step of the newest checkpoint that can be read, or None; sets `notes` to its notes, and says when a newer one
        could not be read. The model stays as it is."""

        def read(step, reader):
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)  # checks its checksum

        try:
            return self._newest_that(read)
        except UserError:
            return None

    def set_aside_after(self, step):
        """Renames the checkpoints of later steps, which `restore` found damaged, to ``step_00001000.damaged``.

        They would stand where new ones are to be written. An earlier damaged one of the same step is replaced.
        """
        if strategy.is_chief(self.model.distribute_strategy):
            for later in [other for other in self.steps() if other > step]:
                damaged = self.folder / f"{_PREFIX}{later:08d}.damaged"
                shutil.rmtree(damaged, ignore_errors=True)
                os.replace(self._path(later), damaged)

    def remove(self, step):
        """Removes the checkpoint of a step; of several workers the chief does."""
        if strategy.is_chief(self.model.distribute_strategy):
            shutil.rmtree(self._path(step), ignore_errors=True)

    def fingerprint(self):
        """8 hexadecimal digits by the checksums of all that the newest checkpoint holds; empty without one."""
        newest = self.steps()[-1:]
        return "".join(f"{zlib.crc32((self._path(step) / 'weights.index').read_bytes()):08x}" for step in newest)

    def _newest_that(self, read):
        """The newest step whose checkpoint ``read(step, reader)`` and whose notes can be read, or None without checkpoints."""
        steps = self.steps()
        for step in reversed(steps):
            try:
                notes = _notes_of(step, (self._path(step) / NOTES).read_bytes())
                read(step, tf.train.load_checkpoint(str(self._path(step) / "weights")))
            except (OSError, IndexError, tf.errors.OpError, _Damaged) as error:  # IndexError: a file cut short
                message = "checkpoint %s is damaged and was passed over: %s"
                logging.getLogger("ganlib").warning(message, self._path(step), _first_line(error))
                continue
            self.notes.clear()
            self.notes.update(notes)
            return step
        if steps:
            raise UserError(
                f"none of the {len(steps)} checkpoints in {str(self.folder)!r} can be read: move them away to start anew"
            )
        return None

    def _check_step(self, step, reader):
        """A whole checkpoint may have been put in the place of another one."""
        index = [id(v) for v in all_variables(self.model)].index(id(self.model.step))
        saved = int(reader.get_tensor(_name_of(index)))
        if saved != step:
            raise _Damaged(f"it is of step {saved}")

    def _difference(self, reader):
        """What in a checkpoint is not as in the model; an empty string if nothing is."""
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        saved = [name for name in shapes if name.startswith("variables/")]
        variables = all_variables(self.model)
        if len(saved) != len(variables):
            return f"it has {len(saved)} variables, the model {len(variables)}"
        for index, variable in enumerate(variables):
            name, value = _name_of(index), variable.value
            if (tuple(shapes[name]), types[name]) != (tuple(value.shape), value.dtype):
                return (
                    f"{variable.path} is {value.dtype.name} {tuple(value.shape)}, not {types[name].name} {tuple(shapes[name])}"
                )
        return ""

    def _path(self, step):
        """The folder of a checkpoint; the replaced one where the process was killed before the new one had its place."""
        path = self.folder / f"{_PREFIX}{step:08d}"
        replaced = path.with_suffix(_REPLACED)
        return replaced if replaced.exists() and not path.exists() else path

    def _check_finite(self, step, variables, values):
        """A step's loss can be finite and its update not; the next loss would show it, after this save."""
        weights = {id(variable) for variable in self.model.weights}
        for variable, value in zip(variables, values, strict=True):
            if id(variable) in weights and variable.value.dtype.is_floating and not np.isfinite(value).all():
                raise UserError(
                    f"training stopped at step {step}: the weights {variable.path!r} are not finite and were not saved"
                    f"{self._still_good()}. Lower the learning rate, or set a penalty on the discriminator"
                )

    def _check_disk(self, values):
        needed = int(_MARGIN * sum(value.nbytes for value in values))
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise OSError(f"it needs {needed / 1e6:.1f} MB, {free / 1e6:.1f} MB are free: make room")

    def _still_good(self):
        steps = self.steps()
        return f"; the one of step {steps[-1]} is still good" if steps else ""


def all_variables(model):
    """All Keras variables of a model and of its optimizers, each once, in the order in which they were made."""
    variables = [*model.variables, *(v for optimizer in model.optimizers for v in optimizer.variables)]
    return list({id(v): v for v in variables}.values())


def _name_of(index):
    """How a `tf.train.Checkpoint` of a list of variables calls one of them."""
    return f"variables/{index}/.ATTRIBUTES/VARIABLE_VALUE"


def _notes_as_text(step, notes):
    """The notes with the step and a checksum."""
    text = json.dumps(notes)
    return json.dumps({"step": step, "crc32": zlib.crc32(text.encode()), "notes": text})


def _notes_of(step, content):
    """The notes in the bytes of a file.

    Raises:
        _Damaged: if they are not what was written for this step.
    """
    try:
        saved = json.loads(content)
        if "crc32" not in saved:
            return dict(saved)  # of ganlib before checksums
        if saved["step"] != step or zlib.crc32(saved["notes"].encode()) != saved["crc32"]:
            raise _Damaged(f"{NOTES} is not what was written")
        return json.loads(saved["notes"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _Damaged(f"{NOTES}: {error}") from None


def _first_line(error):
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
