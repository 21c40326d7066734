import logging

import pytest

import experiments  # noqa: F401, installs the filter


@pytest.mark.parametrize(
    ("function", "shown"), [("Model.make_predict_function.<locals>.one_step", False), ("GAN.generate", True)]
)
def test_retracing_is_shown_where_something_is_traced_twice(function, shown):
    text = f"5 out of the last 5 calls to <function {function}> triggered tf.function retracing."
    record = logging.LogRecord("tensorflow", logging.WARNING, __file__, 1, text, (), None)
    assert bool(logging.getLogger("tensorflow").filter(record)) == shown
