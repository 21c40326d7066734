"""The option --minutes of the tests, for machines on which the slow tests would take too long."""

import random
import subprocess
import time

import pytest

REASON = "no time left: see --minutes"


def add_option(parser):
    text = "start no slow test after this number of minutes; the order of the files depends on the commit"
    parser.addoption("--minutes", type=float, help=text)


class TimeLimit:
    """A plugin that skips the slow tests that have not started in time, and lists them.

    It is a plugin, because the hooks of a ``conftest.py`` are not called for tests of other folders, such as the tutorials.
    """

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        """Orders the files by the commit, so that each commit leaves out other files."""
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=config.rootpath, capture_output=True, check=True).stdout
        order = {path: random.Random(commit + bytes(path)).random() for path in {item.path for item in items}}
        items.sort(key=lambda item: order[item.path])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        if item.get_closest_marker("slow") and time.monotonic() > self.end:
            pytest.skip(REASON)

    def pytest_terminal_summary(self, terminalreporter):
        for report in terminalreporter.getreports("skipped"):
            if REASON in str(report.longrepr):
                terminalreporter.write_line(f"not run, no time left: {report.nodeid}")
