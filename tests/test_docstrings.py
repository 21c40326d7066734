"""What docstrings of public names must have, and whether their examples are true."""

import dataclasses
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
import textwrap

import pytest

import ganlib

MODULES = ["ganlib", *sorted(module.name for module in pkgutil.walk_packages(ganlib.__path__, "ganlib."))]
ARRAYS = {"images", "latents", "logits", "features", "labels", "real", "fake", "maps", "styles", "probabilities"}
"""Arguments that are tensors, wherever they occur."""
SHAPE = re.compile(r"``\(|arrays? of shape|scalar")


def own(module):
    """Names and objects that a module defines, and of its classes the methods that they do not inherit."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield name, value
            for method_name, method in vars(value).items():
                method = getattr(method, "fget", getattr(method, "__func__", method))  # of a property, of a class method
                inherited = any(method_name in vars(base) for base in value.__mro__[1:])
                if inspect.isfunction(method) and not method_name.startswith("_") and not inherited:
                    yield f"{name}.{method_name}", method
        elif inspect.isfunction(value):
            yield name, value


def section(docstring, title):
    """The lines under ``title:``, or ""."""
    found = re.search(rf"^{title}:\n((?:    .*\n|\n)+)", docstring + "\n", re.MULTILINE)
    return found.group(1) if found else ""


def described_names(arguments):
    """The names that a section describes, as in ``name: text`` and ``one, other: text``."""
    heads = re.findall(r"^    ([\w`*]+(?:(?:, | and )[\w`*]+)*):", arguments, re.MULTILINE)
    return [name.strip("`*") for head in heads for name in re.split(r", | and ", head)]


@pytest.mark.parametrize("module_name", MODULES)
def test_public_names_have_docstrings_that_are_true_to_their_arguments_and_errors(module_name):
    module = importlib.import_module(module_name)
    assert module.__doc__, "the module has no docstring"
    for name, value in own(module):
        docstring = inspect.cleandoc(value.__doc__ or "")
        assert docstring, f"{name} has no docstring"
        function = vars(value).get("__init__") if inspect.isclass(value) else value
        if function is None or dataclasses.is_dataclass(value):  # whose attributes are its arguments
            continue
        arguments = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
        names = described_names(section(docstring, "Args"))
        if names:
            assert set(names) <= set(arguments), f"{name} describes what it does not take"
            assert set(arguments) - {"kwargs", "args"} <= set(names), f"{name} describes some of its arguments only"
        if re.search(r"^\s+raise \w*Error\(", textwrap.dedent(inspect.getsource(function)), re.MULTILINE):
            assert re.search(r"[Rr]aise|[Ss]ubclasses define|leave it undefined", docstring), (
                f"{name} does not say what it raises"
            )


@pytest.mark.parametrize("module_name", MODULES)
def test_functions_of_arrays_give_shapes(module_name):
    module = importlib.import_module(module_name)
    for name, value in own(module):
        if inspect.isfunction(value) and "." not in name and ARRAYS & set(inspect.signature(value).parameters):
            assert SHAPE.search(module.__doc__ + value.__doc__), f"{name} gives no shape"


@pytest.mark.parametrize("name", [name for name in ganlib.__all__ if inspect.isclass(getattr(ganlib, name))])
def test_the_classes_at_the_top_name_every_argument_of_every_method(name):
    module = importlib.import_module(getattr(ganlib, name).__module__)
    for method_name, method in own(module):
        if inspect.isfunction(method) and method_name.startswith(f"{name}."):
            for argument in inspect.signature(method).parameters:
                named = re.search(rf"\b{argument}\b", inspect.cleandoc(method.__doc__))
                assert argument == "self" or named, f"{method_name}: {argument}"


def examples_of(module_name):
    """The examples of a module; they see nothing but what they import themselves."""
    found = doctest.DocTestFinder().find(importlib.import_module(module_name), globs={})
    return [test for test in found if test.examples]


@pytest.mark.parametrize("module_name", MODULES)
def test_examples_are_true(module_name):
    for test in examples_of(module_name):
        assert doctest.DocTestRunner().run(test).failed == 0


def test_there_are_examples():
    assert sum(len(examples_of(module_name)) for module_name in MODULES) >= 10


EACH_IN_A_PROCESS = """
import json, os, sys, traceback

import keras, tensorflow  # of which the processes for the examples are copies: importing them takes most of the time

for name, code in json.load(sys.stdin):
    child = os.fork()
    if not child:
        try:
            exec(code, {})
        except BaseException:
            print("The example of", name, "failed:", file=sys.stderr)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_examples_run_where_nothing_of_ganlib_was_imported(tmp_path):
    codes = [(test.name, doctest.script_from_examples(test.docstring)) for name in MODULES for test in examples_of(name)]
    job = [sys.executable, "-c", EACH_IN_A_PROCESS]
    done = subprocess.run(job, input=json.dumps(codes), cwd=tmp_path, capture_output=True, text=True)
    results = [line for line in done.stdout.splitlines() if line.startswith("ganlib")]
    assert results == [f"{name} 0" for name, _ in codes], done.stderr[-3000:]
