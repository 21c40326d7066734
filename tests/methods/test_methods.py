"""A method is one file: whatever asks for methods finds it by its folder."""

import pathlib
import subprocess
import sys

import pytest

from experiments.configs import base
from ganlib import methods, networks
from ganlib.runs import keys

FOLDER = pathlib.Path(methods.__path__[0])
DEFAULTS = {"train_gan": base.gan, "train_classifier": base.classifier}


def test_every_file_with_a_method_is_found():
    files = {path.stem for path in FOLDER.glob("*.py") if "\nMETHOD = " in path.read_text()}
    assert (
        set(methods.METHODS) == files >= {"gan", "linear_probe", "semi_supervised", "triple_gan", "pseudo_labels", "supervised"}
    )


@pytest.mark.parametrize("name", methods.METHODS)
def test_settings_are_in_the_config_and_are_read(name):
    method = methods.METHODS[name]
    config = DEFAULTS[method.job]()
    for key, (default, description) in method.settings.items():
        value = config[name][key]
        assert (value.to_dict() if hasattr(value, "to_dict") else value) == default
        assert f"{name}.{key}" in method.reads
        assert description
    assert set(method.values) <= set(method.reads)
    assert {key.partition(".")[0] for key in method.reads} <= set(config)


def test_a_new_file_is_a_method_without_another_change(tmp_path):
    """In a process whose folder of methods has one more file."""
    text = (FOLDER / "pseudo_labels.py").read_text().replace("pseudo_labels.", "mine.")
    code = f"""
import ganlib.methods as methods, pathlib
methods._FOLDER = pathlib.Path({str(tmp_path)!r})
methods.__path__.append({str(tmp_path)!r})
methods.METHODS.update(methods._discover())
from experiments.configs import base
from ganlib.runs import keys
config = base.classifier()
config.method, config.mine.threshold = "mine", 0.5
keys.check(config, base.classifier())
config.mine.threshold = 2.0
try: keys.check(config, base.classifier())
except Exception as error: print(error)
"""
    (tmp_path / "mine.py").write_text(text)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "mine.threshold must be in [0, 1], got 2.0", done.stderr


def test_keys_name_every_method():
    assert list(keys.JOBS) == list(keys.READ) == list(methods.METHODS)


def test_only_the_network_that_is_asked_for_is_imported():
    code = """
import sys
from ganlib import networks
names = networks.architectures()
networks.r3gan.Generator
print(sorted(name for name in names if f"ganlib.networks.{name}" in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "['r3gan']", done.stderr
    assert {"dcgan", "fastgan", "stylegan2"} <= set(networks.architectures())
    assert not {"base", "classifier", "pixels"} & set(networks.architectures())
