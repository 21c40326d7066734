"""The metrics of a generator that ``compile`` names, computed on a source of real images."""

from ganlib.errors import UserError, integer
from ganlib.evaluation import Evaluation
from ganlib.metrics.evaluate import metric_of


class MetricSettings:
    """The metrics of a generator.

    Args:
        names: A list of names of metrics, or None for none.
        features: The name of the feature network, as in `ganlib.metrics.features.get`.
        samples: The number of generated images.

    Raises:
        UserError: If a name is unknown or an argument has another type.
    """

    def __init__(self, names, features, samples):
        if not isinstance(names, (list, tuple, type(None))) or not all(isinstance(name, str) for name in names or ()):
            raise UserError(f"metrics must be a list of names, such as ['kid'], got {names!r:.60}")
        if not isinstance(features, str):
            raise UserError(
                f"metric_features must be a name, such as 'in_domain', got {features!r:.60}: for a model, save it and pass "
                "'model:PATH', or use ganlib.evaluation.Evaluation"
            )
        self.names, self.features, self.samples = list(names or ()), features, integer("metric_samples", samples, 2)
        self._metrics = {name: metric_of(name) for name in self.names}
        self._last = None, None  # the last source and its evaluation

    def evaluation(self, source):
        """Returns the `ganlib.evaluation.Evaluation` on a `ganlib.data.Source`."""
        if self._last[0] is not source:
            self._last = source, Evaluation(source, self.names, self.features, self.samples)
        return self._last[1]

    def prepare(self, model, source):
        """Checks that the metrics can be computed, and computes the statistics of the real images.

        Args:
            model: The model to evaluate.
            source: A `ganlib.data.Source`.

        Raises:
            UserError: If there is nothing to compute, or a metric cannot be computed.
        """
        if not self.names:
            if not hasattr(model, "classifier"):
                raise UserError("there are no metrics to compute: name them in compile, as in compile(metrics=['kid'])")
            return
        if self.features == "in_domain" and source.labels is None:
            raise UserError(
                "metrics with the features 'in_domain' need labels: pass (images, labels), or other features, as in "
                "compile(metric_features='applications:MobileNetV2')"
            )
        self.evaluation(source).prepare(model)

    def results(self, model, source):
        """Returns the numbers of the metrics that tables show, a dict of floats.

        Args:
            model: The model to evaluate.
            source: A `ganlib.data.Source`.
        """
        if not self.names:
            return {}
        results = self.evaluation(source)(model)
        shown = {key for metric in self._metrics.values() for key in metric.results} or set(results)
        return {name: float(value) for name, value in results.items() if name in shown}
