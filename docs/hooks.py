"""Pages that MkDocs makes of docstrings: one for each job without a guide in docs/jobs, the catalog of configs, the API.

Every job's page gets its flags."""

import ast
import pathlib
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[1]
DATASETS = {"digits": "Digits", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10", "celeba64": "CelebA",
            "ffhq": "FFHQ", "imagenet": "ImageNet"}  # fmt: skip
HIDDEN = ("__init__", "base")


def jobs():
    """The jobs, those that train first: dotted name in `experiments` -> file."""
    files = [path for folder in ("", "benchmarks", "studies") for path in sorted((ROOT / "experiments" / folder).glob("*.py"))]
    files = [path.relative_to(ROOT) for path in files if "job.start(main)" in path.read_text()]
    files.sort(key=lambda path: (len(path.parts), not path.name.startswith("train_")))
    return {".".join(path.with_suffix("").parts[1:]): path for path in files}


def on_config(config):
    """Adds the pages to the navigation."""
    config.nav.insert(4, {"Jobs": ["jobs/index.md", *({job: f"jobs/{job}.md"} for job in jobs())]})
    config.nav.insert(5, {"Configs": "configs.md"})
    config.nav.insert(6, {"API": ["api/index.md", *({name: f"api/{name}.md"} for name in modules())]})
    return config


def on_files(files, config):
    """Makes the pages."""
    pages = {"jobs/index.md": jobs_index(), "configs.md": catalog(), "api/index.md": api_index()}
    pages |= {f"jobs/{job}.md": job_page(job) for job in jobs() if not (ROOT / f"docs/jobs/{job}.md").exists()}
    pages |= {f"api/{name}.md": f"# `{name}`\n\n::: {name}\n" for name in modules()}
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Adds its flags to the page of a job; keeps a mean and its deviation on one line."""
    markdown = markdown.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
    folder, _, name = page.file.src_uri.removesuffix(".md").rpartition("/")
    return f"{markdown}\n{flags_table(name)}" if folder == "jobs" and name in jobs() else markdown


def modules():
    """The modules of ganlib that users import: dotted name -> file."""
    found = {}
    for path in sorted((ROOT / "ganlib").rglob("*.py")):
        *folders, name = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(folders if name == "__init__" else [*folders, name])] = path
    return found


def parsed(path):
    """The syntax tree of a file, and its docstring."""
    tree = ast.parse((ROOT / path).read_text())
    return tree, ast.get_docstring(tree)


def as_markdown(docstring):
    """Paragraphs, in which lines of a command, with those that go on with it, become a block of code."""
    lines, code = [], False
    for line in docstring.splitlines():
        before, found, command = line.partition("python -m experiments.")
        starts = bool(found) and (not before or before.endswith(": "))
        if starts and before:
            lines += [before.rstrip(), ""]
        if starts and not code:
            lines += ["", "```"]
        goes_on = code and lines[-1].endswith("\\")
        if code and not starts and not goes_on:
            lines += ["```", ""]
        code = starts or goes_on
        lines.append(found + command if starts else line)
    return "\n".join([*lines, "```"] if code else lines)


def job_page(job):
    """The page of a job that has no guide in docs/jobs: its docstring, and a link to the first page with its results."""
    page = results_page(job)
    results = f"\n\nIts results are on the page [{title_of(page)}](../{page}).\n" if page else ""
    return f"# {job}\n\n{as_markdown(parsed(jobs()[job])[1])}{results}"


def results_page(job):
    """The first page that mentions a job, relative to docs; pages of studies come first. None if no page does."""
    docs = ROOT / "docs"
    for path in [*sorted(docs.glob("studies/*.md")), *sorted(docs.glob("*.md"))]:
        if re.search(rf"experiments\.{re.escape(job)}\b", path.read_text()):
            return path.relative_to(docs).as_posix()
    return None


def title_of(page):
    """The first heading of a page of docs."""
    return re.search("^# (.+)", (ROOT / "docs" / page).read_text(), re.MULTILINE)[1]


def flags_table(job):
    """The flags of a job: its own, and those that other modules define for it."""
    path = jobs()[job]
    rows = flags_of(path)
    for name, function in re.findall(r"(\w+)\.(define_\w*flags)\(\)", (ROOT / path).read_text()):
        rows += flags_of(imported_file(path, name), function)
    return "\n".join(["", "## Flags", "", "| flag | default | |", "| --- | --- | --- |", *rows, ""]) if rows else ""


def imported_file(path, name):
    """The file of the module that a file imports under a name: ``from experiments.benchmarks import networks as name``."""
    for node in ast.walk(parsed(path)[0]):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if name == (alias.asname or alias.name):
                return pathlib.Path(*node.module.split("."), f"{alias.name}.py")
    raise ValueError(f"{path} does not import {name}; import it with from ... import")


def flags_of(path, function=None):
    """A row for each ``flags.DEFINE_kind(name, default, ..., help)`` of a file, or of a function and those it calls."""
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
    """The row of one flag."""
    name, default, *_, text = (literal(argument) for argument in call.args)
    default = ",".join(default) if isinstance(default, list) else default
    required = any(keyword.arg == "required" for keyword in call.keywords)
    return f"| `--{name}` | {'required' if required else '' if default in (None, '') else f'`{default}`'} | {text} |"


def literal(node):
    """The value of an expression, or, where it is computed, its text."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def jobs_index():
    """All jobs, each with the first sentence of its docstring."""
    lines = ["# Jobs", "", "Every job is run by `python -m experiments.NAME`; `--helpfull` lists its flags.", ""]
    for job, path in jobs().items():
        first = parsed(path)[1].split("\n\n")[0].partition(": python")[0].split(":\n")[0]
        lines.append(f"- [`{job}`]({job}.md): {' '.join(first.split()).rstrip(':')}")
    return "\n".join(lines) + "\n"


def catalog():
    """Every config's docstring, by data set."""
    names = sorted(path.stem for path in (ROOT / "experiments/configs").glob("*.py") if path.stem not in HIDDEN)
    lines = [
        "# Configs",
        "",
        "Each is a file in `experiments/configs/`; this page is made of their docstrings.",
        "",
        *keys_table(),
    ]
    for prefix, title in DATASETS.items():
        lines += [f"## {title}", ""]
        own = [name for name in names if name.startswith(prefix)]
        for name in own:
            lines += [f"### {name}", "", as_markdown(parsed(f"experiments/configs/{name}.py")[1]), ""]
    return "\n".join(lines)


def keys_table():
    """Every key with its default, its comment in base.py, and the methods that read it, by `ganlib.runs.keys.READ`."""
    lines = ["## Keys", "", "A key that the method does not read must be left at its default: setting it is an error.", ""]
    lines += ["| key | default | | read by |", "| --- | --- | --- | --- |"]
    for key, default, comment in keys_of_base():
        lines.append(f"| `{key}` | {f'`{default}`' if default else 'unset'} | {comment.replace('|', ' ')} | {read_by(key)} |")
    return [*lines, ""]


def keys_of_base():
    """``(key, default, comment)`` of every line of base.py that sets one, and of the settings of methods, each key once."""
    from ganlib.methods import METHODS

    found, group = {}, ""
    for line in (ROOT / "experiments/configs/base.py").read_text().splitlines():
        code, _, comment = (part.strip() for part in line.partition("  # "))
        outer, inner = re.match(r"config\.(\w+) = (.*)", code), re.match(r'"(\w+)": (.*),$', code)
        if outer:
            group = outer[1] if outer[2] == "ConfigDict({" else ""
        if outer and not group:
            default = re.sub(r"^ConfigDict\((.*)\)$", lambda match: match[1] or "{}", outer[2])
            found[outer[1]] = "" if default.startswith("placeholder") else default, comment
        elif inner and group:
            found[f"{group}.{inner[1]}"] = inner[2], comment
    for name, method in METHODS.items():
        found |= {f"{name}.{key}": (repr(default), text) for key, (default, text) in method.settings.items()}
    return [(key, *rest) for key, rest in found.items()]


def read_by(key):
    """The methods that read a key, with what stands against it: ``"gan (unless metrics is '')"``."""
    from ganlib.runs import keys

    by_conditions = {}
    for method, own in keys.READ.items():
        if key in own:
            unless = " or ".join(condition.unless for condition in own[key])
            by_conditions.setdefault(unless, []).append(method)
    named = lambda methods: "all" if methods == list(keys.READ) else ", ".join(methods)  # noqa: E731
    parts = [named(methods) + (f" (unless {unless})" if unless else "") for unless, methods in by_conditions.items()]
    return "; ".join(parts)


def api_index():
    """All modules, each with the first sentence of its docstring."""
    lines = ["# API", "", "By module; the names at the top of `ganlib` load on first use.", ""]
    for name, path in modules().items():
        first = parsed(path)[1].split("\n\n")[0]
        lines.append(f"- [`{name}`]({name}.md): {' '.join(first.split())}")
    return "\n".join(lines) + "\n"
