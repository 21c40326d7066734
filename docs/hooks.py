"""MkDocs hooks that generate pages from docstrings: jobs without a guide in docs/jobs, the catalog of configs, and the API.

They also add a table of flags to the page of every job.
"""

import ast
import pathlib
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[1]
DATASETS = {
    "digits": "Digits",
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "celeba64": "CelebA",
    "ffhq": "FFHQ",
    "imagenet": "ImageNet",
    "cells": "Photos of solar cells",
    "photos": "Your photos",
}
"""Prefix of the names of configs -> title in the catalog."""
HIDDEN = ("__init__", "base")


def jobs():
    """Returns a dict from a job's dotted name in `experiments` to its file, with training jobs first."""
    experiments = ROOT / "experiments"
    files = [*experiments.glob("*.py"), *experiments.glob("benchmarks/*.py"), *experiments.glob("studies/**/*.py")]
    files = [path.relative_to(ROOT) for path in sorted(files) if "job.start(main)" in path.read_text()]
    found = {".".join(path.with_suffix("").parts[1:]).removesuffix(".__main__"): path for path in files}
    return dict(sorted(found.items(), key=lambda item: (item[0].count("."), not item[0].startswith("train_"))))


def on_config(config):
    """Adds the generated pages to the navigation."""
    config.nav.insert(4, {"Jobs": ["jobs/index.md", *({job: f"jobs/{job}.md"} for job in jobs())]})
    config.nav.insert(5, {"Configs": "configs.md"})
    config.nav.insert(6, {"API": ["api/index.md", *({name: f"api/{name}.md"} for name in modules())]})
    return config


def on_files(files, config):
    """Generates the pages."""
    pages = {"jobs/index.md": jobs_index(), "configs.md": catalog(), "api/index.md": api_index()}
    pages |= {f"jobs/{job}.md": job_page(job) for job in jobs() if not (ROOT / f"docs/jobs/{job}.md").exists()}
    pages |= {f"api/{name}.md": f"# `{name}`\n\n::: {name}\n" for name in modules()}
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Adds the table of flags to the page of a job, and keeps a mean and its deviation on one line."""
    markdown = markdown.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
    folder, _, name = page.file.src_uri.removesuffix(".md").rpartition("/")
    return f"{markdown}\n{flags_table(name)}" if folder == "jobs" and name in jobs() else markdown


def modules():
    """Returns a dict from the dotted name of each module of ganlib to its file."""
    files = {}
    for path in sorted((ROOT / "ganlib").rglob("*.py")):
        *folders, name = path.relative_to(ROOT).with_suffix("").parts
        files[".".join(folders if name == "__init__" else [*folders, name])] = path
    return files


def parsed(path):
    """Returns the syntax tree of a file and its docstring."""
    tree = ast.parse((ROOT / path).read_text())
    return tree, ast.get_docstring(tree)


def as_markdown(docstring):
    """Converts a docstring to Markdown: command lines, including their continuation lines, become code blocks."""
    lines, code = [], False
    for line in docstring.splitlines():
        before, prefix, command = line.partition("python -m experiments.")
        starts = bool(prefix) and (not before or before.endswith(": "))
        if starts and before:
            lines += [before.rstrip(), ""]
        if starts and not code:
            lines += ["", "```"]
        continues = code and lines[-1].endswith("\\")
        if code and not starts and not continues:
            lines += ["```", ""]
        code = starts or continues
        lines.append(prefix + command if starts else line)
    return "\n".join([*lines, "```"] if code else lines)


def job_page(job):
    """Returns the page of a job without a guide in docs/jobs: its docstring, and a link to the first page with results."""
    page = results_page(job)
    results = f"\n\nIts results are on the page [{title_of(page)}](../{page}).\n" if page else ""
    return f"# {job}\n\n{as_markdown(parsed(jobs()[job])[1])}{results}"


def results_page(job):
    """Returns the first page that mentions a job, relative to docs, or None. Pages of studies come first."""
    docs = ROOT / "docs"
    for path in [*sorted(docs.glob("studies/*.md")), *sorted(docs.glob("*.md"))]:
        if re.search(rf"experiments\.{re.escape(job)}\b", path.read_text()):
            return path.relative_to(docs).as_posix()
    return None


def title_of(page):
    """Returns the first heading of a page of docs."""
    return re.search("^# (.+)", (ROOT / "docs" / page).read_text(), re.MULTILINE)[1]


def flags_table(job):
    """Returns the table of a job's flags, including those that shared modules define for it."""
    path = jobs()[job]
    rows = flags_of(path)
    for name, function in re.findall(r"(\w+)\.(define_\w*flags)\(\)", (ROOT / path).read_text()):
        rows += flags_of(imported_file(path, name), function)
    return "\n".join(["", "## Flags", "", "| flag | default | |", "| --- | --- | --- |", *rows, ""]) if rows else ""


def imported_file(path, name):
    """Returns the file of a module imported under ``name``, as in ``from experiments.benchmarks import networks as name``."""
    for node in ast.walk(parsed(path)[0]):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if name == (alias.asname or alias.name):
                return pathlib.Path(*node.module.split("."), f"{alias.name}.py")
    raise ValueError(f"{path} does not import {name}; import it with from ... import")


def flags_of(path, function=None):
    """Returns a row for each ``flags.DEFINE_kind(name, default, ..., help)`` in a file, or in a function and its callees."""
    tree = parsed(path)[0]
    if function:
        (tree,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    calls = sorted((node for node in ast.walk(tree) if isinstance(node, ast.Call)), key=lambda node: node.lineno)
    rows = []
    for node in calls:
        if getattr(node.func, "attr", "").startswith("DEFINE_"):
            rows.append(flag_row(node))
        elif function and getattr(node.func, "id", "").startswith("define_"):
            rows += flags_of(path, node.func.id)
    return rows


def flag_row(call):
    """Returns the row of one flag."""
    name, default, *_, text = (literal(argument) for argument in call.args)
    default = ",".join(default) if isinstance(default, list) else default
    required = any(keyword.arg == "required" for keyword in call.keywords)
    return f"| `--{name}` | {'required' if required else '' if default in (None, '') else f'`{default}`'} | {text} |"


def literal(node):
    """Returns the value of a literal expression, or the source of any other expression."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def jobs_index():
    """Returns the list of all jobs with the first sentence of each docstring."""
    lines = ["# Jobs", "", "Run a job with `python -m experiments.NAME`. `--helpfull` lists its flags.", ""]
    for job, path in jobs().items():
        first = parsed(path)[1].split("\n\n")[0].partition(": python")[0].split(":\n")[0]
        lines.append(f"- [`{job}`]({job}.md): {' '.join(first.split()).rstrip(':')}")
    return "\n".join(lines) + "\n"


def catalog():
    """Returns the catalog: the docstring of every config, by dataset."""
    names = sorted(path.stem for path in (ROOT / "experiments/configs").glob("*.py") if path.stem not in HIDDEN)
    lines = [
        "# Configs",
        "",
        "Each config is a file in `experiments/configs/`. This page is generated from their docstrings.",
        "",
        *keys_table(),
    ]
    for prefix, title in DATASETS.items():
        lines += [f"## {title}", ""]
        for name in (name for name in names if name.startswith(prefix)):
            lines += [f"### {name}", "", as_markdown(parsed(f"experiments/configs/{name}.py")[1]), ""]
    return "\n".join(lines)


def keys_table():
    """Returns the table of keys: default, comment in base.py, and the methods that read it, from `ganlib.runs.keys.READ`."""
    lines = ["## Keys", "", "Leave a key at its default if the method does not read it. Setting such a key is an error.", ""]
    lines += ["| key | default | | read by |", "| --- | --- | --- | --- |"]
    for key, default, comment in keys_of_base():
        lines.append(f"| `{key}` | {f'`{default}`' if default else 'unset'} | {comment.replace('|', ' ')} | {read_by(key)} |")
    return [*lines, ""]


def keys_of_base():
    """Returns ``(key, default, description)`` for every key that base.py sets, and for the settings of every method."""
    from ganlib.methods import METHODS

    rows, group = {}, ""
    for line in (ROOT / "experiments/configs/base.py").read_text().splitlines():
        code, _, comment = (part.strip() for part in line.partition("  # "))
        outer, inner = re.match(r"config\.(\w+) = (.*)", code), re.match(r'"(\w+)": (.*),$', code)
        if outer:
            group = outer[1] if outer[2] == "ConfigDict({" else ""
        if outer and not group:
            default = re.sub(r"^ConfigDict\((.*)\)$", lambda match: match[1] or "{}", outer[2])
            rows[outer[1]] = "" if default.startswith("placeholder") else default, comment
        elif inner and group:
            rows[f"{group}.{inner[1]}"] = inner[2], comment
    for name, method in METHODS.items():
        rows |= {f"{name}.{key}": (repr(default), text) for key, (default, text) in method.settings.items()}
    return [(key, *rest) for key, rest in rows.items()]


def read_by(key):
    """Returns the methods that read a key, with their conditions: ``"gan (unless metrics is '')"``."""
    from ganlib.runs import keys

    by_conditions = {}
    for method, method_keys in keys.READ.items():
        if key in method_keys:
            unless = " or ".join(condition.unless for condition in method_keys[key])
            by_conditions.setdefault(unless, []).append(method)
    parts = []
    for unless, methods in by_conditions.items():
        names = "all" if methods == list(keys.READ) else ", ".join(methods)
        parts.append(names + (f" (unless {unless})" if unless else ""))
    return "; ".join(parts)


def api_index():
    """Returns the list of all modules with the first sentence of each docstring."""
    lines = ["# API", "", "All modules. The public names of `ganlib` load on first use.", ""]
    for name, path in modules().items():
        first = parsed(path)[1].split("\n\n")[0]
        lines.append(f"- [`{name}`]({name}.md): {' '.join(first.split())}")
    return "\n".join(lines) + "\n"
