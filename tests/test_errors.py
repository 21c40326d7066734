import pytest

from ganlib.errors import UserError, choose, did_you_mean, first_line


def test_closest_name():
    assert did_you_mean("hing", ["hinge", "wasserstein"]) == " Did you mean 'hinge'?"
    assert did_you_mean("xyz", ["hinge"]) == ""


def test_choose():
    assert choose("loss", "a", {"a": 1}) == 1
    with pytest.raises(UserError, match="unknown loss 'b': known are a, c"):
        choose("loss", "b", {"c": 2, "a": 1})


def test_first_line_has_no_operations_of_tensorflow():
    message = (
        "{{function_node __wrapped__SaveV2_dtypes_1_device_/job:localhost}} /run/weights; No space left on device [Op:SaveV2] "
        "name: \nmore"
    )
    assert first_line(OSError(message)) == "/run/weights; No space left on device"
    assert first_line(OSError()) == "OSError"
