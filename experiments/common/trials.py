"""Functions that the comparisons of GANs and of classifiers share."""


def clock(workdir):
    """Returns ``(steps, minutes)`` arrays: the training time at each row of the logs, excluding evaluations."""
    import numpy as np

    from ganlib.training.callbacks import read_rows

    rows = [row for row in read_rows(workdir / "speed.jsonl") if "steps_per_second" in row]
    steps = np.array([0] + [row["step"] for row in rows])
    rates = np.array([row["steps_per_second"] for row in rows])
    return steps, np.concatenate([[0.0], np.cumsum(np.diff(steps) / rates)]) / 60


def statistics(results):
    """Computes the mean and the sample standard deviation of every result.

    Args:
        results: A list with a dict of results for each run.

    Returns:
        A dict of ``values``, ``mean`` and ``std``, each a dict by key. The standard deviation of a single run is None.
    """
    import numpy as np

    values = {key: [result[key] for result in results] for key in results[0]}
    return {
        "values": values,
        "mean": {key: float(np.mean(v)) for key, v in values.items()},
        "std": {key: float(np.std(v, ddof=1)) if len(v) > 1 else None for key, v in values.items()},
    }


def cell(row, key, number, scale=1.0):
    """Returns ``"3.00 ± 2.65"``, only the mean if there is no standard deviation, or ``""`` if there is no such result."""
    if key not in row["mean"]:
        return ""
    mean, std = row["mean"][key] * scale, row["std"].get(key)
    std = None if std is None else std * scale
    return number.format(mean) if std is None else f"{number.format(mean)} ± {number.format(std)}"


def as_markdown(lines):
    """Formats lists of cells as a Markdown table. The first list is the heading."""
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plain_ticks(axis):
    """Labels a logarithmic axis with plain numbers at 1, 2, 5, 10 ..."""
    import matplotlib.ticker

    axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(matplotlib.ticker.NullLocator())
