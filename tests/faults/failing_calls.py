"""Makes calls of the file system fail in this process, which must be started with `environment`."""

import ctypes
import functools
import os
import pathlib
import shutil
import subprocess

SOURCE = pathlib.Path(__file__).with_name("failing_calls.c")
ONCE, FROM_THEN_ON, WRITES_FROM_THEN_ON = range(3)
"""Only one call fails, or it and all later ones, or it and all later ones that write."""


def compiled(folder):
    """Compiles the library into a folder and returns its path, or None without a C compiler or on another system than Linux."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler or not pathlib.Path("/proc/self/fd").exists():
        return None
    library = folder / "failing_calls.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def environment(library, clock=False):
    """Returns the environment of a process in which calls can fail, and in which the clock jumps if ``clock`` is set."""
    return {**os.environ, "LD_PRELOAD": str(library)} | ({"FAULTS_CLOCK": "1"} if clock else {})


@functools.cache
def _library():
    library = ctypes.CDLL(os.environ["LD_PRELOAD"])
    library.faults_failed_name.restype = ctypes.c_char_p
    return library


def arm(folder, call, error, mode):
    """Makes a call on a path below a folder fail: number ``call`` from now on, with the number ``error`` of the system."""
    _library().faults_arm(os.fsencode(folder), call, error, mode)


def disarm():
    """Ends the failures. Returns the number of calls since `arm`, and the name of the first that failed, or ""."""
    calls = _library().faults_disarm()
    return calls, _library().faults_failed_name().decode() if _library().faults_failed() else ""
