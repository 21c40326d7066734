"""Applies a function to many files at a time, some of which may be unreadable."""

import concurrent.futures
import logging

from ganlib.errors import UserError


def attempt_files(function, paths):
    """Applies ``function`` to every path in parallel.

    Args:
        function: A function of a path that raises a `UserError` if the file is unreadable.
        paths: The paths.

    Returns:
        ``(results, good, errors)``: the list of the results, the list of the indices of the paths without an error, and the
        list of the errors of the others.
    """

    def attempt(path):
        try:
            return function(path), None
        except UserError as error:
            return None, error

    with concurrent.futures.ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(attempt, paths))
    good = [index for index, (_, error) in enumerate(outcomes) if error is None]
    return [outcomes[index][0] for index in good], good, [error for _, error in outcomes if error is not None]


def map_files(function, paths, skip_corrupt):
    """Applies ``function`` to every path in parallel, and raises or logs the errors.

    Args:
        function: A function of a path that raises a `UserError` if the file is unreadable.
        paths: The paths.
        skip_corrupt: Whether to log the number of errors, instead of raising the first.

    Returns:
        ``(results, good)``: the list of the results, and the list of the indices of the paths without an error.

    Raises:
        UserError: If ``skip_corrupt`` is False and a file is unreadable. The message has the number of other such files.
    """
    results, good, errors = attempt_files(function, paths)
    report(errors, len(paths), skip_corrupt)
    return results, good


def report(errors, total, skip_corrupt):
    """Raises or logs the errors of files.

    Args:
        errors: A list of `UserError`.
        total: The number of files.
        skip_corrupt: Whether to log the number of errors, instead of raising the first.

    Raises:
        UserError: If ``skip_corrupt`` is False and there is an error.
    """
    if not errors:
        return
    first, *others = errors
    if not skip_corrupt:
        raise UserError(f"{first}{f' ({len(others)} more failed)' if others else ''}")
    logging.getLogger("ganlib").warning("skipped %d of %d files, the first: %s", len(errors), total, first)
