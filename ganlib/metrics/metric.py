"""The description of a metric, from which tables and plots are generated."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Result:
    """One number that a metric returns.

    Attributes:
        heading: The heading of its column in the table of `experiments.compare`.
        format: The format of the number in that table. Defaults to three decimals.
        curve: The title of the plot of a run's report in which the number is a line; results with the same title share a plot.
            Defaults to None, which uses the heading.
    """

    heading: str
    format: str = "{:.3f}"
    curve: str | None = None


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that `ganlib.evaluation.Evaluation` and the jobs select by name.

    Attributes:
        results: Key -> `Result`, for the numbers to show. Other numbers, such as standard deviations, are only recorded.
        compute: ``compute(real, fake, seed)`` takes the `ganlib.metrics.evaluate.Statistics` of real and generated images, and
            an integer, and returns a dict of floats. Defaults to None, which means that `ganlib.evaluation` computes the metric
            from images.
    """

    results: dict
    compute: Callable | None = None
