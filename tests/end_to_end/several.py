"""Runs several jobs one after the other in one process, because separate processes would spend most of their time importing
TensorFlow. Reads a JSON list of command lines from standard input, ``[["train_gan", "--config=..."], ...]``, and writes a list
of exit statuses, outputs, and error lines.
"""

import contextlib
import io
import json
import runpy
import sys

from absl import flags

import experiments.common.job  # noqa: F401  its imports define flags only once


def outcome(job, *arguments):
    """Runs a job. Returns its exit status, its standard output, and the lines of its standard error."""
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
