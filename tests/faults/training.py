"""Trains a GAN while calls of the file system fail: python -m tests.faults.training FOLDER ERROR MODE TRIES START

ERROR and MODE are as in `tests.faults.saving`. In each of TRIES trainings, another call fails, from the first to the last. The
trainings begin in a new folder, or resume from step START if it is not 0. A training must end with an error of one line, or
with the weights of an undisturbed one. The same training without failures must then end with these weights. The job prints the
name of the call that failed and how the training ended, for each try.
"""

import errno
import logging
import pathlib
import shutil
import sys
import time

import ganlib
from experiments import train_gan
from tests.faults import failing_calls
from tests.helpers import same, weights
from tests.runs.test_examination import MLP
from tests.runs.test_examination import config as small_config

SETTINGS = [*MLP, "log_every=1", "checkpoint_every=2", "sample_every=3"]
NONE = 10**9


def main():
    folder, error, mode = pathlib.Path(sys.argv[1]).resolve(), getattr(errno, sys.argv[2]), int(sys.argv[3])
    tries, start = int(sys.argv[4]), int(sys.argv[5])
    print(f"the clock jumps by {abs(time.time() - time.time()):.0f} s")
    logging.getLogger("ganlib").setLevel(logging.ERROR)
    begun, whole = folder / "begun", folder / "whole"
    if start:
        train(begun, start)
        shutil.copytree(begun, whole)
    failing_calls.arm(whole, NONE, error, mode)
    expected = weights(train(whole))
    total, _ = failing_calls.disarm()
    for index in range(tries):
        run, call, message = folder / str(index), 1 + index * total // tries, ""
        if start:
            shutil.copytree(begun, run)
        failing_calls.arm(run, call, error, mode)
        try:
            found = weights(train(run))
        except (ganlib.UserError, OSError) as raised:  # a job prints both as one line
            message, found = str(raised), expected
        _, failed = failing_calls.disarm()
        assert "\n" not in message, message
        assert same(found, expected), f"call {call}, {failed}: other weights"
        assert same(weights(train(run)), expected), f"call {call}, {failed}: resumed with other weights"
        print(f"call {call} of {total}: {failed or 'none'}: {message or 'trained'}")


def train(workdir, steps=6):
    """Trains, and returns the newest checkpoint."""
    config = small_config(*SETTINGS, f"steps={steps}")
    train_gan.train(config, workdir)
    return ganlib.load(workdir)


if __name__ == "__main__":
    main()
