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
        scale: The factor of the number in that table, which the heading must name. Defaults to 1.
        higher_is_better: Whether higher numbers are better. Defaults to False.
    """

    heading: str
    format: str = "{:.3f}"
    curve: str | None = None
    scale: float = 1.0
    higher_is_better: bool = False


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that `ganlib.evaluation.Evaluation` and the jobs select by name.

    Attributes:
        results: Key -> `Result`, for the numbers to show. Other numbers, such as standard deviations, are only recorded.
        compute: A function that returns a dict of floats. Its arguments depend on ``inputs``.
        inputs: What ``compute`` takes, with one argument for each set in ``against``:

            - ``"features"``: ``compute(*sets, fake, seed)`` with `ganlib.metrics.evaluate.Statistics`.
            - ``"images"``: ``compute(*sets, fake, seed)`` with ``(n, height, width, channels)`` uint8 images, at most as many
              of each set as generated ones.
            - ``"labeled_images"``: ``compute(*sources, images, labels, seed, cache_dir)`` with a `ganlib.data.Source` in memory
              for each set, and generated images ``(n, height, width, channels)`` uint8 with ``(n,)`` labels.
            - ``"generator"``: ``compute(model, extractor, samples, seed, real_labels)`` with the `ganlib.GAN` itself.

            Defaults to ``"features"``.
        against: The sets of real images that the generated ones are compared with: ``"real"``, all images of the training
            split; ``"training"``, those that the GAN was trained on; ``"test"``, the test images. Defaults to ``("real",)``.
        needs: What the metric needs besides: ``"probabilities"`` of the feature network, ``"labels"`` of real and generated
            images, the ``"moments_by_class"`` of their features, or a generator in ``"float32"``. Defaults to ``()``.
        max_images: The number of images of each set that a metric of images uses at most. Defaults to None, which means all.
        pairwise: Whether the metric compares images in pairs, so that it uses a limited number of them. Defaults to False.
        images_used: A function that takes the numbers of images in the sets of ``against`` and of generated images, and returns
            the numbers that the metric uses. Defaults to None, which means all, or those of a pairwise metric.
        min_images: The smallest number of images of each set. Defaults to 2.
        min_size: The smallest height and width of the images. Defaults to 1.
        parameters: Name -> value, recorded with the results, such as ``{"k": 3}``. Defaults to no parameters.
    """

    results: dict
    compute: Callable
    inputs: str = "features"
    against: tuple = ("real",)
    needs: tuple = ()
    max_images: int | None = None
    pairwise: bool = False
    images_used: Callable | None = None
    min_images: int = 2
    min_size: int = 1
    parameters: dict = dataclasses.field(default_factory=dict)

    @property
    def needs_labels(self):
        """Whether the images must have labels."""
        return self.inputs == "labeled_images" or not {"labels", "moments_by_class"}.isdisjoint(self.needs)


def described(metric):
    """Returns a `Metric`: the argument, or the description of a function ``compute(real, fake, seed)``, whose numbers are only
    recorded.
    """
    return metric if isinstance(metric, Metric) else Metric({}, metric)
