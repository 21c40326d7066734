import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlib.data import preparing, python_functions


def test_a_function_is_called_in_a_pipeline():
    dataset = tf.data.Dataset.range(5).map(lambda x: python_functions.call(lambda x: x * x, [x], tf.int64))
    assert [x.numpy() for x in dataset] == [0, 1, 4, 9, 16]


def run(script, *arguments):
    """Runs a script in a new process and returns its exit status. Raises `TimeoutExpired` if it hangs after its last line."""
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "last line\n"
    try:
        return process.wait(60)
    finally:
        process.kill()


SCRIPT = """
    import sys
    from ganlib import data
    from ganlib.data import source

    source.MEMORY_LIMIT = 10
    iterator = iter(data.batches(data.open(sys.argv[1], image_size=8), 16))
    for _ in range(3):
        next(iterator)
    print("last line", flush=True)
"""


@pytest.mark.parametrize("kind", ["folder", "prepared", pytest.param("mnist", marks=pytest.mark.slow)])
def test_a_script_ends_while_an_iterator_is_alive(tmp_path, kind, tfds_dir, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    for index in range(40):
        Image.fromarray(np.full((300, 300, 3), index, np.uint8)).save(tmp_path / f"{index}.jpg")
    preparing.prepare(f"folder:{tmp_path}", tmp_path.parent / "x", image_size=8)
    name = {"folder": f"folder:{tmp_path}", "prepared": f"prepared:{tmp_path.parent / 'x'}"}.get(kind, kind)
    assert run(SCRIPT, name) == 0


def test_a_script_ends_while_slow_functions_are_running():
    status = run("""
        import time
        import numpy as np
        import tensorflow as tf
        from ganlib.data import python_functions

        def slow(x):
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                sum(range(1000))
            return x

        dataset = tf.data.Dataset.counter().map(
            lambda x: python_functions.call(slow, [x], tf.int64), num_parallel_calls=8).prefetch(1000)
        iterator = iter(dataset)
        next(iterator)
        print("last line", flush=True)
    """)
    assert status == 0


def test_later_calls_fail_once_the_interpreter_ends():
    calls = python_functions._Calls()
    with calls:
        pass
    calls.end()
    with pytest.raises(Exception, match="the interpreter is ending"), calls:
        pass
