"""The package namespace."""

import subprocess
import sys

import pytest

import ganlib


def test_import_does_not_import_tensorflow():
    code = "import sys, ganlib; assert not {'tensorflow', 'keras', 'numpy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist():
    for name in ganlib.__all__:
        assert getattr(ganlib, name) is not None
    assert dir(ganlib) == sorted([*ganlib.__all__, "__version__"])
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ganlib.nothing
