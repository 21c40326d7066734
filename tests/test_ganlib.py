"""The package itself."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import ganlib

MODULES = sorted(m.name for m in pkgutil.walk_packages(ganlib.__path__, "ganlib."))


def test_import_does_not_wait_for_tensorflow():
    code = "import sys, ganlib; assert not {'tensorflow', 'keras', 'numpy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist():
    for name in ganlib.__all__:
        assert getattr(ganlib, name) is not None
    assert dir(ganlib) == ganlib.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ganlib.nothing


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    examples = [t for name in MODULES for t in finder.find(importlib.import_module(name)) if t.examples]
    assert len(examples) >= 10
