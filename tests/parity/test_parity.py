"""ganlib's networks, losses, penalties and train steps give the numbers of the authors' codes, from the same weights.

The reference files are not part of this repository: see `experiments.studies.parity.comparison`.
"""

import importlib.util

import pytest

from experiments.studies.parity import comparison, comparisons

COMPARISONS = comparisons()
LARGE = {"biggan128", "biggan_cifar", "fastgan_cond", "projected", "sg2_training", "sngan64", "stylegan2_resnet"}
"""Files that take 35 seconds or longer on a slow core. Others compare the same losses and most of the same layers."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in COMPARISONS])
def test_every_number_of_a_file_of_the_authors(name):
    if name not in comparison.available():
        pytest.skip(f"needs {name}.npz in {comparison.folder()}: set GANLIB_PARITY")
    module = COMPARISONS[name]
    missing = [package for package in getattr(module, "PACKAGES", ()) if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"needs the packages {', '.join(missing)}")
    differences = module.differences(comparison.ReferenceFile(name))
    tolerances = dict.fromkeys(differences, comparison.TOLERANCE) | getattr(module, "TOLERANCES", {})
    assert differences
    assert {family: value for family, value in differences.items() if not value <= tolerances[family]} == {}


def test_every_file_is_compared():
    assert set(comparison.available()) <= set(COMPARISONS)
