"""Extracts the code of README.md and docs/: Python blocks as scripts, and the commands of jobs.

The Python blocks of a page form one script, in the order of the page. A block that cannot be run here has a line with the
reason before it: ``<!-- not run: needs OpenCV 5 -->``. New blocks and pages are run without being added to a list.
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
    """A block of code on a page.

    Attributes:
        page: The path of the page in the repository.
        title: The heading above the block.
        kind: The language of the block, or "".
        text: The code.
        reason: The reason why the block is not run, or None.
    """

    page: str
    title: str
    kind: str
    text: str
    reason: str | None

    @property
    def file(self):
        """The file that the heading names as the place of this code, or None."""
        name = re.search(r"`([\w/]+\.py)`", self.title)
        return name and name[1]


def blocks():
    """Yields all blocks of all pages."""
    for path in PAGES:
        text = path.read_text()
        for fence in FENCE.finditer(text):
            titles = re.findall(r"^#+ (.*)$", FENCE.sub("", text[: fence.start()]), re.MULTILINE)
            yield Block(str(path.relative_to(ROOT)), titles[-1], fence["kind"], fence["text"], fence["reason"])


def python_blocks():
    """Yields the Python blocks, and the arguments of ``python -c`` in shell blocks."""
    for block in blocks():
        if block.kind == "python":
            yield block
        for _, code in PYTHON_IN_SHELL.findall(block.text):
            yield dataclasses.replace(block, text=code)


def scripts():
    """Returns a dict from each page to its script. Of pages that differ only in comments, such as translations, it has the
    first."""
    by_page, trees = {}, set()
    for block in python_blocks():
        if not (block.reason or block.file):
            by_page[block.page] = by_page.get(block.page, "") + block.text + "\n"
    for page, code in list(by_page.items()):
        tree = ast.dump(ast.parse(code))
        if tree in trees:
            del by_page[page]
        trees.add(tree)
    return by_page


def skipped_blocks():
    """Returns the blocks that are not run: ``[(page, reason), ...]``."""
    return [(block.page, block.reason) for block in python_blocks() if block.reason]


def commands(page):
    """Returns the commands of jobs in the blocks of a page: ``[[job, argument, ...], ...]``."""
    text = "\n".join(block.text for block in blocks() if block.page == page and not block.kind).replace("\\\n", " ")
    return [shlex.split(command) for command in re.findall(r"^python -m experiments\.(.*)$", text, re.MULTILINE)]
