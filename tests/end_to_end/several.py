"""Runs jobs one after the other in one process, where they are not worth a process each: most would spend their time on
importing TensorFlow. Reads a JSON list of command lines from standard input, ``[["train_gan", "--config=..."], ...]``, and
writes the list of their exit statuses, of their output, and of the lines of their errors.
"""

import contextlib
import io
import json
import runpy
import sys

from absl import flags

import experiments.common.job  # noqa: F401  what it imports defines flags once and for all


def outcome(job, *arguments):
    """The exit status of a job, its standard output, and the lines of its standard error."""
    known, output, errors, status = set(flags.FLAGS), io.StringIO(), io.StringIO(), 0
    sys.argv = [f"experiments/{job}.py", *arguments]
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
        try:
            runpy.run_module(f"experiments.{job}", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            status = end.code or 0
        finally:
            for name in set(flags.FLAGS) - known:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()
    return status, output.getvalue(), errors.getvalue().splitlines()


if __name__ == "__main__":
    results = [outcome(*command) for command in json.load(sys.stdin)]
    json.dump(results, sys.stdout)
