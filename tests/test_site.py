"""The pages that MkDocs makes of docstrings, and the commands that pages and docstrings tell."""

import ast
import importlib.util
import json
import pathlib
import pkgutil
import re
import types

import pytest

import ganlib
from experiments import configs
from experiments.common import earlier_commands
from experiments.configs import base
from ganlib.runs import keys

pytest.importorskip("mkdocs")

ROOT = pathlib.Path(__file__).parents[1]


def module_of(name):
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hooks():
    return module_of("hooks")


def test_commands_become_code_and_the_rest_stays_text(hooks):
    docstring = (
        "Does it: python -m experiments.a --x\n\nMore, by `experiments.a`.\npython -m experiments.b \\\n  --y\nand so on."
    )
    assert hooks.as_markdown(docstring).split("\n") == [
        "Does it:", "", "", "```", "python -m experiments.a --x", "```", "", "",
        "More, by `experiments.a`.", "", "```", "python -m experiments.b \\", "  --y", "```", "", "and so on.",
    ]  # fmt: skip


def test_a_job_has_its_flags(hooks):
    page = hooks.flags_table("compare")
    assert "| `--configs` | required | files of experiments/configs, such as mnist_dcgan,mnist_resnet |" in page
    assert "| `--seeds` | `0,1,2` |" in page
    assert "| `--workdir` |  | folder of the run |" in hooks.flags_table("train_gan")
    assert hooks.flags_table("demo").count("\n| `--") == 2


def test_the_page_of_a_job_links_to_its_results(hooks):
    page = hooks.job_page("studies.metric_sanity")
    assert "Its results are on the page [Metrics](../studies/metrics.md)." in page
    assert "[Speed of a training step on a CPU](../studies/speed.md)" in hooks.job_page("benchmarks.steps")
    assert "](../distributed.md)" in hooks.job_page("studies.agreement")
    assert "Its results" not in hooks.job_page("demo")


def test_every_key_says_which_methods_read_it(hooks):
    rows = {row.split("|")[1].strip(): row for row in hooks.keys_table() if row.startswith("| `")}
    assert {key.strip("`") for key in rows} == {key for own in keys.READ.values() for key in own}
    assert rows["`steps`"] == "| `steps` | `1000` | generator updates; unset for a GAN: from the number of images | all |"
    assert rows["`evaluation_samples`"].endswith("| gan (unless metrics is '') |")
    assert rows["`freeze_features`"].endswith("| pseudo_labels, supervised, triple_gan |")


def test_every_job_config_and_module_has_its_place(hooks):
    jobs = {path.stem for path in (ROOT / "experiments").glob("*.py") if "job.start(main)" in path.read_text()}
    assert {name for name in hooks.jobs() if "." not in name} == jobs
    assert {"benchmarks.steps", "studies.formats", "studies.parity"} <= set(hooks.jobs())
    page = hooks.catalog()
    for path in (ROOT / "experiments/configs").glob("*.py"):
        assert path.stem in hooks.HIDDEN or f"### {path.stem}\n" in page
    modules = {"ganlib", *(module.name for module in pkgutil.walk_packages(ganlib.__path__, "ganlib."))}
    assert set(hooks.modules()) == modules


def texts():
    """Everything that tells users what to run: name -> text."""
    found = {path.name: path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]}
    for path in ROOT.glob("docs/tutorials/*.ipynb"):
        found[path.name] = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])
    for path in ROOT.glob("experiments/**/*.py"):
        found[str(path.relative_to(ROOT))] = ast.get_docstring(ast.parse(path.read_text())) or ""
    return found


COMMANDS = [
    (name, job, arguments.replace("\\\n", " "))
    for name, text in sorted(texts().items())
    for job, arguments in re.findall(r"python -m experiments\.([a-z_]+(?:\.[a-z_]+)?)\b(?!\.[A-Z])((?:\\\n|[^\n`'|])*)", text)
]
PLACEHOLDERS = {"NAME", "NAMES", "digits_patterns", "further_training"}  # the last two: files that a page or a job has written


def test_there_are_commands_everywhere():
    assert {"README.md", "index.md", "distributed.md", "production.md", "results.md", "experiments/generate.py"} <= {
        name for name, _, _ in COMMANDS
    }
    assert len(COMMANDS) > 100


@pytest.mark.parametrize(("name", "job", "arguments"), COMMANDS, ids=[f"{name}-{job}" for name, job, _ in COMMANDS])
def test_commands_have_flags_configs_and_keys_that_there_are(hooks, name, job, arguments):
    job = earlier_commands.NEW_NAMES.get(job, job).replace("/", ".")
    known = set(re.findall(r"`--(\w+)`", hooks.flags_table(job))) | {"helpfull"}
    given = [argument[2:].partition("=")[::2] for argument in arguments.split() if argument.startswith("--")]
    values = dict(given)
    named = [pathlib.Path(values["config"]).stem] if "config" in values else values.get("configs", "").split(",")
    used = [configs.load(config) for config in named if config and config not in PLACEHOLDERS]
    for flag, value in given:
        key = flag.removeprefix("config.") if flag.startswith("config.") else value.partition("=")[0] if flag == "set" else None
        assert key or flag in known, f"{job} has no --{flag}"
        for config in used if key else ():
            for part in key.split("."):
                assert part in config, f"{named} have no {key}"
                config = config[part]
    if used and job in ("train_gan", "train_classifier"):
        pairs = [
            f"{flag.removeprefix('config.')}={value or chr(39) * 2}" for flag, value in given if flag.startswith("config.")
        ]
        keys.check(configs.load(named[0], pairs), base.gan() if job == "train_gan" else base.classifier())


@pytest.fixture(scope="module")
def links():
    return module_of("links")


def test_tutorials_lead_to_pages_and_chinese_headings_have_anchors(links):
    page = types.SimpleNamespace(file=types.SimpleNamespace(src_uri="tutorials/a.ipynb"))
    text = (
        '<h2 id="">甲</h2><h2 id="">乙</h2><a href="../x.md">x</a><a href="b.ipynb#c">c</a><a href="https://y.org/z.md">z</a>'
    )
    assert links.on_post_page(text, page, None) == (
        '<h2 id="_1">甲</h2><h2 id="_2">乙</h2><a href="../x.html">x</a><a href="b.html#c">c</a><a href="https://y.org/z.md">z</a>'
    )
    page.file.src_uri = "a.md"
    assert links.on_post_page(text, page, None) == text


def test_links_that_lead_nowhere_are_warnings(links, tmp_path, caplog):
    (tmp_path / "a").mkdir()
    (tmp_path / "picture.png").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="top"></h1><a href="a/b.html#there"></a><a href="#top"></a><img src="picture.png">'
    )
    (tmp_path / "a/b.html").write_text(
        '<p id="there"></p><a href="../index.html#up"></a><a href="c.html"></a><img src="picture.png"><a href="https://c.org"></a>'
    )
    with caplog.at_level("WARNING", "mkdocs.links"):
        links.on_post_build(types.SimpleNamespace(site_dir=str(tmp_path)))
    assert [record.getMessage() for record in caplog.records] == [
        f"a/b.html: the link {link} leads nowhere" for link in ("../index.html#up", "c.html", "picture.png")
    ]
