"""Evaluation of a trained generator against its training data: `ganlib.metrics` for a model and a source."""

import functools

import keras
import numpy as np
import tensorflow as tf
import tqdm

import ganlib
from ganlib import versions
from ganlib.errors import UserError, integer
from ganlib.evaluation import checks
from ganlib.evaluation.images import BATCH_SIZE, generated_batches, real_batches
from ganlib.metrics import cache, features
from ganlib.metrics.evaluate import KEPT, gather, gather_cached, measure, metric_of
from ganlib.training.replicas import on_replicas

TRAINING_KEPT = 100_000
"""The number of training images in whose neighborhood copies are searched for."""

TRAINING_SEED = 0
"""The seed of evaluations during training, which select the best checkpoint."""


class Evaluation:
    """Computes metrics of one or more generators against the same real images.

    Args:
        source: The real images, those of the training split.
        names: A list of keys of `ganlib.metrics.evaluate.METRICS`. With ``"cas"``, the classification accuracy score is
            computed for equal numbers of generated and of real images, at most ``samples``.
        features: The feature network, as in `ganlib.metrics.features.get`. Defaults to ``"in_domain"``.
        samples: The number of generated images. All real images are used. Defaults to 5000.
        seed: An integer that determines latents, labels and subsets. Defaults to 0.
        cache_dir: The folder of the real images' statistics; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
        progress: Whether to show progress bars. Defaults to False.
        test: The real test images, for metrics that compare with them. Defaults to None.
        training: The images that the GAN was trained on, for metrics that find copies of them. At most 100,000 are searched.
            Defaults to None, which means all of ``source``.
        pairs: The largest number of images of a set for metrics that compare images in pairs. Defaults to 10,000.

    Raises:
        UserError: If a metric is unknown, there are too few samples, or the images do not support a metric.

    Examples:
        >>> import keras, ganlib
        >>> from ganlib.evaluation import Evaluation
        >>> from ganlib.networks import mlp
        >>> gan = ganlib.GAN(mlp.Generator((8, 8, 1), latent_dim=16), mlp.Discriminator((8, 8, 1)))
        >>> pixels = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()], name="pixels")
        >>> evaluate = Evaluation(ganlib.data.open("digits"), ["fid"], features=pixels, samples=100)
        >>> evaluate(gan)["fid"] > 0
        True
    """

    def __init__(
        self, source, names, features="in_domain", samples=5000, seed=TRAINING_SEED, cache_dir=None, progress=False, test=None,
        training=None, pairs=KEPT,
    ):  # fmt: skip
        self.samples, self.pairs = integer("samples", samples, 2), integer("pairs", pairs, 2)
        self.seed = integer("seed", seed, 0)
        if isinstance(names, str):
            raise UserError(f"metrics must be a list of names, such as ['fid'], got {names!r}")
        if not names:
            raise UserError("there are no metrics to compute: name at least one, such as fid")
        self.metrics = {name: metric_of(name) for name in names}
        self.requested, self.source, self.test, self.training = list(names), source, test, training or source
        self.features, self._cache_dir, self._progress = features, cache_dir, progress
        checks.check_sources(self)
        self._extractor, self._statistics = None, {}

    @property
    def extractor(self):
        """The feature network, created on first use."""
        if self._extractor is None:
            self._extractor = features.get(self.features, self.source, self._cache_dir, self.test)
        return self._extractor

    @property
    def real(self):
        """The statistics of the real images, loaded from the cache or computed on first use."""
        return self.statistics("real")

    @property
    def selection(self):
        """What the FIDs depend on by which a checkpoint is selected, a JSON-serializable dict."""
        return {
            "metric": "fid",
            "features": self.extractor.name,
            "features_version": self.extractor.version,
            "real_content": self.source.fingerprint,
            "samples": self.samples,
            "seed": self.seed,
        }

    def statistics(self, name):
        """Returns the `ganlib.metrics.evaluate.Statistics` of a set of real images, from the cache or computed on first use.

        Args:
            name: ``"real"``, ``"training"`` or ``"test"``.
        """
        if name not in self._statistics:
            source, by_class = self.source_of(name), self._needs_moments_by_class
            kept = self._kept(name)

            def batches():
                return self._with_progress(real_batches(source), f"{name} images", source.num_examples)

            key = cache.key_of(source)
            self._statistics[name] = gather_cached(self.extractor, batches, key, self._cache_dir, by_class, kept)
        return self._statistics[name]

    def __call__(self, model):
        """Computes the metrics of a model's averaged generator: a dict from names to floats.

        Raises:
            UserError: If the model is not a GAN, its images have another shape than the real ones, or it does not support a
                metric.
        """
        checks.check_model(self, model)
        batches = generated_batches(model, self.samples, self.seed, self._real_labels())
        return self._compute_metrics(batches, shared_by_replicas(self.extractor, model.distribute_strategy), model)

    def of_source(self, fake):
        """Computes the metrics of images of ``fake``, a `ganlib.data.Source`: a dict from names to floats.

        All images are used, or ``samples`` of them, drawn by the seed, if there are more.

        Raises:
            UserError: If images have another shape, or do not support a metric.
        """
        checks.check_generated_source(self, fake)
        return self._compute_metrics(_first(real_batches(fake, self.seed), self.samples), self.extractor)

    def prepare(self, model=None):
        """Computes the statistics of the real images, and finds metrics that cannot be computed, before training.

        Args:
            model: The GAN to evaluate later. Defaults to None, which leaves out the checks of the model.

        Returns:
            The number of real images.

        Raises:
            UserError: If the images, the feature network or the model do not support a metric.
        """
        checks.check_features(self)
        if model is not None:
            checks.check_model(self, model)
        for name in self._sets():
            self.statistics(name)
        return self.real.moments.count

    def _sets(self):
        """Returns the names of the sets of real images whose statistics are needed."""
        others = {other for name in self._names_of("features") for other in self.metrics[name].against}
        return ["real", *sorted(others - {"real"})]

    def _names_of(self, inputs):
        return [name for name, metric in self.metrics.items() if metric.inputs == inputs]

    def _kept(self, name):
        """Returns how many images of a set keep their features."""
        return TRAINING_KEPT if name == "training" else self.pairs

    @property
    def _needs_moments_by_class(self):
        return any("moments_by_class" in metric.needs for metric in self.metrics.values())

    def source_of(self, name):
        """Returns the `ganlib.data.Source` of a set of real images: ``"real"``, ``"training"`` or ``"test"``."""
        return {"real": self.source, "training": self.training, "test": self.test}[name]

    def _real_labels(self):
        """Returns labels with the frequencies of the real images, or None."""
        if self.source.labels is not None or not self.source.class_names:
            return self.source.labels
        counts = self.real.label_counts  # a streamed source
        return np.repeat(list(counts), list(counts.values())) if counts else None

    def _compute_metrics(self, batches, extractor, model=None):
        sets, collected = {name: self.statistics(name) for name in self._sets()}, []
        batches = _collect(batches, collected, self._images_to_collect())
        batches = self._with_progress(batches, "generated images", self.samples)
        fake = gather(extractor, batches, self._needs_moments_by_class, self.pairs)
        results = measure(self._names_of("features"), sets.pop("real"), fake, self.seed, **sets)
        for name in self._names_of("images"):
            results |= self._of_images(self.metrics[name], collected[0])
        for name in self._names_of("labeled_images"):
            sources = [self.source_of(other) for other in self.metrics[name].against]
            metric = self.metrics[name]
            images, labels = (array[: metric.max_images] for array in collected)
            results |= metric.compute(*sources, images, labels, self.seed, self._cache_dir)
        for name in self._names_of("generator"):
            results |= self.metrics[name].compute(model, extractor, self.samples, self.seed, self._real_labels())
        return results

    def _images_to_collect(self):
        """Returns how many generated images the metrics of images use."""
        of_images = [self.metrics[name] for name in (*self._names_of("images"), *self._names_of("labeled_images"))]
        return max((metric.max_images or self.samples for metric in of_images), default=0)

    def _of_images(self, metric, images):
        """Computes a metric of images, with at most as many images of each set of real ones."""
        images, sets = images[: min(len(images), _limit(self, metric, "generated"))], []
        for name in metric.against:
            batches = _first(real_batches(self.source_of(name)), len(images))
            sets.append(np.concatenate([batch for batch, _ in batches]))
        return metric.compute(*sets, images, self.seed)

    def _with_progress(self, batches, name, count):
        total = -(-count // BATCH_SIZE)
        return tqdm.tqdm(batches, name, total, unit=f"x{BATCH_SIZE}", mininterval=1.0, disable=not self._progress)


def shared_by_replicas(extractor, strategy):
    """Returns a `ganlib.metrics.extractor.FeatureExtractor` whose images are distributed over all replicas of a
    `tf.distribute.Strategy`.
    """
    replicas = strategy.num_replicas_in_sync
    return extractor if replicas == 1 else extractor.run_by(functools.partial(on_replicas, strategy), 64 * replicas)


def _collect(batches, collected, count):
    """Yields the same batches, and fills the list ``collected`` with the first ``count`` images and their labels."""
    kept, missing = [], count
    for images, labels in batches:
        if missing > 0:
            kept.append((images[:missing], None if labels is None else labels[:missing]))
            missing -= len(images)
        yield images, labels
    if kept:
        collected += [None if arrays[0] is None else np.concatenate(arrays) for arrays in zip(*kept, strict=True)]


def _first(batches, count):
    """Yields the first ``count`` images of batches ``(images, labels)``."""
    for images, labels in batches:
        if count <= 0:
            return
        yield images[:count], None if labels is None else labels[:count]
        count -= len(images)


def evaluation_record(results, evaluation, **facts):
    """Returns the contents of ``evaluation.json``: the results and everything they depend on."""
    record = {
        "results": results,
        "metrics": evaluation.requested,
        "samples": evaluation.samples,
        "pairs": evaluation.pairs,
        "real": evaluation.source.name,
        "real_images": evaluation.source.num_examples,
        "real_content": evaluation.source.fingerprint,
        "features": evaluation.extractor.name,
        "features_version": evaluation.extractor.version,
        "seed": evaluation.seed,
        "ganlib": ganlib.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "code": versions.of_code(),
    }
    parameters = {name: _parameters(evaluation, metric, facts) for name, metric in evaluation.metrics.items()}
    if any(parameters.values()):
        record["parameters"] = {name: values for name, values in parameters.items() if values}
    if evaluation.test:
        record |= {"test_images": evaluation.test.num_examples, "test_content": evaluation.test.fingerprint}
    if any("training" in metric.against for metric in evaluation.metrics.values()):
        record |= {"training_images": evaluation.training.num_examples, "training_content": evaluation.training.fingerprint}
    return record | facts


def _parameters(evaluation, metric, facts):
    """Returns the parameters of a metric, with the number of images of each set if it is limited."""
    parameters, numbers = dict(metric.parameters), {}
    if metric.pairwise or metric.images_used or metric.max_images:
        for name in metric.against:
            numbers[name] = min(evaluation.source_of(name).num_examples, _limit(evaluation, metric, name))
        samples = facts.get("samples", evaluation.samples)
        numbers["generated"] = min(samples, _limit(evaluation, metric, "generated"))
        if metric.inputs == "images":  # at most as many real as generated ones
            numbers = {name: min(number, numbers["generated"]) for name, number in numbers.items()}
        used = metric.images_used(*numbers.values()) if metric.images_used else numbers.values()
        parameters["images"] = dict(zip(numbers, used, strict=True))
    return parameters


def _limit(evaluation, metric, name):
    limits = [metric.max_images or np.inf]
    if metric.pairwise:
        limits.append(evaluation._kept(name) if metric.inputs == "features" else evaluation.pairs)
    return min(limits)
