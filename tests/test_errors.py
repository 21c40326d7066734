import pytest

from ganlib.errors import UserError, choose, did_you_mean


def test_closest_name():
    assert did_you_mean("hing", ["hinge", "wasserstein"]) == " Did you mean 'hinge'?"
    assert did_you_mean("xyz", ["hinge"]) == ""


def test_choose():
    assert choose("loss", "a", {"a": 1}) == 1
    with pytest.raises(UserError, match="unknown loss 'b': known are a, c"):
        choose("loss", "b", {"c": 2, "a": 1})
