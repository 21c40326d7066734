"""Applies a function to many files at a time, some of which may be unreadable."""

import concurrent.futures
import logging

from ganlib.errors import UserError


def map_files(function, paths, skip_corrupt):
    """Applies ``function`` to every path in parallel.

    Args:
        function: A function of a path that raises a `UserError` if the file is unreadable.
        paths: The paths.
        skip_corrupt: Whether to log the number of errors, instead of raising the first.

    Returns:
        ``(results, good)``: the list of the results, and the list of the indices of the paths without an error.

    Raises:
        UserError: If ``skip_corrupt`` is False and a file is unreadable. The message has the number of other such files.
    """

    def attempt(path):
        try:
            return function(path), None
        except UserError as error:
            return None, error

    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = list(pool.map(attempt, paths))
    failures = [error for _, error in results if error is not None]
    if failures and not skip_corrupt:
        first, *others = failures
        more = f" ({len(others)} more failed)" if others else ""
        raise UserError(f"{first}{more}")
    if failures:
        message = "skipped %d of %d files, the first: %s"
        logging.getLogger("ganlib").warning(message, len(failures), len(paths), failures[0])
    return [result for result, error in results if error is None], [i for i, (_, error) in enumerate(results) if error is None]
