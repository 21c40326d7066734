"""What README.md and docs/ have in code: the Python, as scripts that a process of its own runs, and the commands of jobs.

The Python blocks of a page are one script, in the order of the page. A block that cannot be run here has a line before it that
says why: ``<!-- not run: needs OpenCV 5 -->``. So a new block, or a new page, is run without being added to a list.
"""

import ast
import dataclasses
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n+)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
PYTHON_IN_SHELL = re.compile(r"""^(?:\w+=\S+ )*python -c (["'])(.*?)\1""", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes:
        page: the page's path in the repository.
        title: the heading that it stands under.
        kind: its language, or "".
        text: what is in it.
        reason: why it is not run, or None.
    """

    page: str
    title: str
    kind: str
    text: str
    reason: str | None

    @property
    def file(self):
        """The file whose content it is, as its heading says, or None."""
        name = re.search(r"`([\w/]+\.py)`", self.title)
        return name and name[1]


def blocks():
    """All blocks of all pages."""
    for path in PAGES:
        text = path.read_text()
        for fence in FENCE.finditer(text):
            titles = re.findall(r"^#+ (.*)$", FENCE.sub("", text[: fence.start()]), re.MULTILINE)
            yield Block(str(path.relative_to(ROOT)), titles[-1], fence["kind"], fence["text"], fence["reason"])


def python_blocks():
    """The blocks of Python; of a block of the shell what it gives to ``python -c``."""
    for block in blocks():
        if block.kind == "python":
            yield block
        for _, code in PYTHON_IN_SHELL.findall(block.text):
            yield dataclasses.replace(block, text=code)


def scripts():
    """Every page's script: page -> code. Of pages that differ in comments alone, such as translations, the first is there."""
    found, seen = {}, set()
    for block in python_blocks():
        if not (block.reason or block.file):
            found[block.page] = found.get(block.page, "") + block.text + "\n"
    for page, code in list(found.items()):
        tree = ast.dump(ast.parse(code))
        if tree in seen:
            del found[page]
        seen.add(tree)
    return found


def left_out():
    """Why blocks are not run: ``[(page, reason), ...]``."""
    return [(block.page, block.reason) for block in python_blocks() if block.reason]


def commands(page):
    """The commands of jobs in the blocks of a page: ``[[job, argument, ...], ...]``."""
    text = "\n".join(block.text for block in blocks() if block.page == page and not block.kind).replace("\\\n", " ")
    return [shlex.split(command) for command in re.findall(r"^python -m experiments\.(.*)$", text, re.MULTILINE)]
