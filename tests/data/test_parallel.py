import pytest

import ganlib
from ganlib.data import parallel


def length(path):
    if "bad" in path:
        raise ganlib.UserError(f"{path} is unreadable")
    return len(path)


def test_results_come_in_order():
    assert parallel.map_files(length, ["a", "bbb", "cc"], skip_corrupt=False) == ([1, 3, 2], [0, 1, 2])


def test_the_first_error_is_raised_or_the_errors_are_counted(caplog):
    paths = ["a", "bad 1", "cc", "bad 2"]
    with pytest.raises(ganlib.UserError, match=r"^bad 1 is unreadable \(1 more failed\)$"):
        parallel.map_files(length, paths, skip_corrupt=False)
    assert parallel.map_files(length, paths, skip_corrupt=True) == ([1, 2], [0, 2])
    assert caplog.records[0].getMessage() == "skipped 2 of 4 files, the first: bad 1 is unreadable"


def test_errors_are_collected():
    results, good, errors = parallel.attempt_files(length, ["bad", "a"])
    assert (results, good, list(map(str, errors))) == ([1], [1], ["bad is unreadable"])
