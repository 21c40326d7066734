"""What the pages of docs/ promise."""

import json
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

import ganlib.networks
from ganlib.metrics import evaluate, in_domain

DOCS = pathlib.Path(__file__).parents[1] / "docs"


def test_the_page_of_smaller_things_of_ones_own_runs_as_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(evaluate.METRICS, "sliced_features", None)  # which takes it away in the end
    monkeypatch.setattr(in_domain, "MIN_STEPS", 1)
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path))
    code = "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / "extending.md").read_text(), re.DOTALL))
    assert "steps_per_epoch=200" in code
    names = {}
    exec(code.replace("steps_per_epoch=200", "steps_per_epoch=2"), names)
    logged = names["history"].history
    assert np.isfinite(logged["drift"]).all()
    assert {"r1", "discriminator_loss"} < set(logged)
    assert set(names["results"]) == {"fid", "sliced_features"}
    features = np.random.default_rng(0).normal(size=(500, 3))
    shifted = names["sliced_wasserstein"](features, features + np.array([3.0, 0.0, 0.0]))
    np.testing.assert_allclose(shifted, 3.0 / 3**0.5, rtol=0.1)  # E |3 cos|^2 over the sphere, in 256 directions
    drift, logits = names["Drift"](weight=2.0), tf.constant([1.0, -3.0])
    np.testing.assert_allclose(drift(lambda images: logits, None, None, None), 2.0 * (1.0 + 9.0) / 2.0)
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    expected = 0.9 * softplus(-1.0) + 0.1 * softplus(1.0) + softplus(-2.0)
    np.testing.assert_allclose(names["smoothed"].discriminator(np.ones(1), np.full(1, -2.0)), expected, rtol=1e-6)


def test_the_table_of_files_is_true():
    rows = re.findall(r"^\| `(\w+\.py)` \| (\d+) \|", (DOCS / "your_own_gan.md").read_text(), re.MULTILINE)
    folder = pathlib.Path(ganlib.networks.__path__[0])
    lengths = {path.name: len(path.read_text().splitlines()) for path in folder.glob("*.py") if path.name != "__init__.py"}
    assert dict(rows) == {name: str(length) for name, length in lengths.items()}


@pytest.mark.parametrize("page", sorted(DOCS.glob("**/*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_every_picture_and_config_that_a_page_names_is_there(page):
    text = page.read_text()
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (page.parent / path).exists(), path
    for name in re.findall(r"experiments/configs/(\w+)\.py", text):
        assert name in ("NAME", "digits_patterns") or (DOCS.parent / f"experiments/configs/{name}.py").exists(), name


NOTEBOOKS = sorted((DOCS / "tutorials").glob("*.ipynb"))


def cells_of(path, kind):
    cells = json.loads(path.read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_tutorial_begins_with_a_picture_that_is_there_and_ends_with_exercises(path):
    first, *_, last = cells_of(path, "markdown")
    (picture,) = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", first)
    assert (path.parent / picture).stat().st_size < 300_000
    assert "## Exercises" in last or "## 练习" in last
    outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
    assert outputs, "run docs/tutorials/run.py"
    assert not [output for output in outputs if output.get("name") == "stderr" or output["output_type"] == "error"]


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.stem.endswith(".zh")], ids=lambda path: path.stem)
def test_a_translation_has_the_same_code(path):
    original = path.with_name(path.name.replace(".zh", ""))
    assert cells_of(path, "code") == cells_of(original, "code")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_first_pages_lead_somewhere(name):
    for link in re.findall(r"\]\(([^)#:]+)[)#]", (DOCS.parent / name).read_text()):
        assert (DOCS.parent / link).exists(), link


TESTS = pathlib.Path(__file__).parent


def test_the_table_of_claims_names_tests_that_there_are():
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (TESTS / "README.md").read_text())
    assert len(named) > 30
    for path, name in named:
        assert f"def {name}(" in (TESTS / path).read_text(), f"{path}::{name}"


def test_the_table_of_kinds_names_files_that_there_are():
    for line in (TESTS / "README.md").read_text().splitlines():
        if line.startswith("| ") and "::" not in line:
            for path in re.findall(r"`([\w/]+(?:/|\.py))`", line):
                assert (TESTS / path).exists(), path
