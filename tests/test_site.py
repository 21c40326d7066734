"""The pages that MkDocs makes of docstrings."""

import importlib.util
import pathlib
import pkgutil

import pytest

import ganlib

pytest.importorskip("mkdocs")

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs/hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_commands_become_code_and_the_rest_stays_text(hooks):
    docstring = (
        "Does it: python -m experiments.a --x\n\nMore, by `experiments.a`.\npython -m experiments.b \\\n  --y\nand so on."
    )
    assert hooks.as_markdown(docstring).split("\n") == [
        "Does it:", "", "", "```", "python -m experiments.a --x", "```", "", "",
        "More, by `experiments.a`.", "", "```", "python -m experiments.b \\", "  --y", "```", "", "and so on.",
    ]  # fmt: skip


def test_a_job_has_its_flags(hooks):
    page = hooks.job_page("compare")
    assert "| `--configs` | required | files of experiments/configs, such as mnist_dcgan,mnist_resnet |" in page
    assert "| `--seeds` | `0,1,2` |" in page
    assert "| `--workdir` |  | the run's folder |" in hooks.job_page("train_gan")


def test_every_job_config_and_module_has_its_place(hooks):
    jobs = {path.stem for path in (ROOT / "experiments").glob("*.py") if "job.start(main)" in path.read_text()}
    assert set(hooks.JOBS) == jobs
    page = hooks.catalogue()
    for path in (ROOT / "experiments/configs").glob("*.py"):
        assert path.stem in hooks.HIDDEN or f"### {path.stem}\n" in page
    modules = {"ganlib", *(module.name for module in pkgutil.walk_packages(ganlib.__path__, "ganlib."))}
    assert set(hooks.modules()) == modules
