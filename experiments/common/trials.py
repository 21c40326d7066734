"""What the comparisons of GANs and of classifiers have in common."""


def clock(workdir):
    """``(steps, minutes)`` arrays: how long a run had trained at each row of its logs, without the time for measuring."""
    import numpy as np

    from ganlib.training.callbacks import read_rows

    rows = [row for row in read_rows(workdir / "speed.jsonl") if "steps_per_second" in row]
    steps = np.array([0] + [row["step"] for row in rows])
    rates = np.array([row["steps_per_second"] for row in rows])
    return steps, np.concatenate([[0.0], np.cumsum(np.diff(steps) / rates)]) / 60


def statistics(results):
    """The values of every result by key, their means and their sample deviations (None of a single one).

    Args:
        results: a dict for each run.

    Returns:
        A dict of ``values``, ``mean`` and ``std``, each a dict by key.
    """
    import numpy as np

    values = {key: [result[key] for result in results] for key in results[0]}
    return {
        "values": values,
        "mean": {key: float(np.mean(v)) for key, v in values.items()},
        "std": {key: float(np.std(v, ddof=1)) if len(v) > 1 else None for key, v in values.items()},
    }


def cell(row, key, number):
    """``"3.00 ± 2.65"``, or the mean alone where there is no deviation, or nothing where there is no such result."""
    if key not in row["mean"]:
        return ""
    mean, std = row["mean"][key], row["std"].get(key)
    return number.format(mean) if std is None else f"{number.format(mean)} ± {number.format(std)}"


def as_markdown(lines):
    """A Markdown table from lists of cells, the first the heading."""
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plain_ticks(axis):
    """Gives a plot's logarithmic axis plain numbers at 1, 2, 5, 10 ..."""
    import matplotlib.ticker

    axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(matplotlib.ticker.NullLocator())
