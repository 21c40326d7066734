"""Python functions in `tf.data` pipelines, which cannot keep the interpreter from ending.

A thread of a pipeline that needs the interpreter's lock while the interpreter ends never gets it. If an iterator is still
alive then, its destructor waits for that thread, and the process hangs. Therefore `call` stops all functions before the
interpreter starts to end: at exit, calls that are running are completed and later ones fail.
"""

import atexit
import threading
import time

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError

QUIET_SECONDS = 0.2
"""At exit, the time without a call after which the pipelines' buffers count as full, so that no further call is expected."""
MAX_SECONDS = 5.0
"""The longest time to wait at exit."""


class _Calls:
    """Counts the calls that are running, and rejects new ones once `end` was called."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running, self._last, self._ended, self._registered = 0, 0.0, False, False

    def __enter__(self):
        with self._lock:
            self._last = time.monotonic()
            if self._ended:
                raise UserError("the interpreter is ending: no more data is read")
            self._running += 1
            if not self._registered:  # after TensorFlow's own functions, and so called before them
                atexit.register(self.end)
                self._registered = True

    def __exit__(self, *exception):
        with self._lock:
            self._running -= 1
            self._last = time.monotonic()

    def end(self):
        """Waits until no call is running and none is expected, while the calls of other threads fail."""
        self._ended = True
        deadline = time.monotonic() + MAX_SECONDS
        while time.monotonic() < deadline and (self._running or time.monotonic() < self._last + QUIET_SECONDS):
            time.sleep(0.01)  # releases the interpreter's lock


_calls = _Calls()


def call(function, inputs, dtype):
    """Returns an operation that calls a Python function, as `tf.numpy_function` does.

    Args:
        function: A function of numpy arrays that returns one numpy array. It must not depend on state.
        inputs: A list of tensors.
        dtype: The TensorFlow dtype of the result.
    """

    def guarded(*arrays):
        with _calls:
            return np.asarray(function(*arrays))

    return tf.numpy_function(guarded, inputs, dtype, stateful=False)
