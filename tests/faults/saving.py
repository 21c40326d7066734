"""Saves checkpoints while calls of the file system fail: python -m tests.faults.saving FOLDER ERROR MODE KIND

ERROR is a name of the module errno, such as ENOSPC, MODE a number of `tests.faults.failing_calls`, and KIND "new" for
checkpoints of new steps, or "anew" for checkpoints that replace one of the same step. The first checkpoint is
saved while the first call fails, the second while the second one does, and so on, until one is saved before the call. After
each failure, a new process would have to find a checkpoint: the new one if `Checkpoints.save` has not raised an error, and
otherwise the new or the last one. Then another one is saved without failures. The job prints the names of the calls that failed
and how each save ended, and stops with an error at what must not happen.
"""

import collections
import errno
import logging
import pathlib
import sys

import numpy as np

import ganlib
from ganlib.training.checkpoint import Checkpoints, all_variables
from tests.faults import failing_calls
from tests.helpers import mlp_gan, same

MOST_CALLS = 1000


def main():
    folder, error, mode = pathlib.Path(sys.argv[1]).resolve(), getattr(errno, sys.argv[2]), int(sys.argv[3])
    anew = sys.argv[4] == "anew"
    logging.getLogger("ganlib").setLevel(logging.ERROR)
    training, resumed = mlp_gan(), mlp_gan()
    checkpoints = Checkpoints(folder, training)
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), np.uint8)
    saved, outcomes = None, collections.Counter()
    for call in range(1, MOST_CALLS):
        if saved is None:
            saved = save(checkpoints, training, images)
        failing_calls.arm(folder, call, error, mode)
        message = ""
        try:
            state = save(checkpoints, training, images, anew)
        except ganlib.UserError as raised:
            message, state = str(raised), state_of(training)
            assert "\n" not in message, message
        _, failed = failing_calls.disarm()
        restored = restore(folder, resumed)
        expected = [state, saved] if message else [state]
        assert any(same(restored, one) for one in expected), f"call {call}, {failed}: {message or 'no error'}"
        outcomes[failed, "error" if message else "saved"] += 1
        saved = save(checkpoints, training, images)
        assert same(restore(folder, resumed), saved), f"call {call}, {failed}: nothing can be saved afterwards"
        assert len(list(folder.iterdir())) <= 4, "two checkpoints, and what they have replaced"
        if not failed:
            break
    else:
        raise AssertionError("there is always one more call")
    for (name, outcome), count in sorted(outcomes.items()):
        print(f"{name or 'none'} {outcome} {count}")


def save(checkpoints, model, images, anew=False):
    """Takes a train step, saves a checkpoint, and returns the state of the model. With ``anew``, the step is not counted."""
    model.train_on_batch(images)
    model.step.assign_sub(int(anew))
    checkpoints.save(anew)
    checkpoints.wait()
    return state_of(model)


def restore(folder, model):
    Checkpoints(folder, model).restore()
    return state_of(model)


def state_of(model):
    return [variable.numpy() for variable in all_variables(model)]


if __name__ == "__main__":
    main()
