"""`ganlib.runs.report` under its public name."""

from ganlib.runs.report import Table, write

__all__ = ["Table", "write"]
