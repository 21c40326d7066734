"""Evaluation of a trained generator against its training data: `ganlib.metrics` for a model and a source."""

import functools

import numpy as np
import tqdm

import ganlib
from ganlib import metrics, plots, versions
from ganlib.data import partition, sources
from ganlib.errors import UserError, choose, integer
from ganlib.metrics import cache, features, in_domain
from ganlib.metrics.evaluate import METRICS, gather, gather_cached, measure
from ganlib.models.adversarial import latents_for
from ganlib.training.replicas import on_replicas

BATCH_SIZE = 250
NEIGHBORS = 3


class Evaluation:
    """Computes metrics of one or more generators against the same real images.

    Args:
        source: The real training images.
        names: A list of keys of `ganlib.metrics.evaluate.METRICS`. With ``"cas"``, the classification accuracy score is
            computed for the generated images and for the same number of real images.
        features: The feature network, as in `ganlib.metrics.features.get`. Defaults to ``"in_domain"``.
        samples: The number of generated images. All real images are used. Defaults to 5000.
        seed: An integer that determines latents, labels and subsets. Defaults to 0.
        cache_dir: The folder of the real images' statistics; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
        progress: Whether to show progress bars. Defaults to False.
        test: The real test images, for ``"cas"``. Defaults to None.

    Raises:
        UserError: If a metric is unknown, there are too few samples, or a CAS is requested without labeled images in memory.

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

    def __init__(self, source, names, features="in_domain", samples=5000, seed=0, cache_dir=None, progress=False, test=None):
        samples = integer("samples", samples, 2)
        if isinstance(names, str):
            raise UserError(f"metrics must be a list of names, such as ['fid'], got {names!r}")
        for name in names:
            choose("metric", name, METRICS)
        if "cas" in names:
            _check_cas(source, test)
        self.source, self.test, self.samples, self.seed = source, test, samples, seed
        self.requested, self._with_cas = list(names), "cas" in names
        self.names = [name for name in names if name != "cas"]
        self._features, self._cache_dir, self._progress = features, cache_dir, progress
        self._extractor = self._real = None

    @property
    def extractor(self):
        """The feature network, created on first use."""
        if self._extractor is None:
            self._extractor = features.get(self._features, self.source, self._cache_dir)
        return self._extractor

    @property
    def real(self):
        """The statistics of the real images, loaded from the cache or computed on first use."""
        if self._real is None:
            self._real = gather_cached(self.extractor, self._real_batches, cache.key_of(self.source), self._cache_dir)
        return self._real

    def __call__(self, model):
        """Computes the metrics of a model's averaged generator: a dict from names to floats.

        Raises:
            UserError: If the model is not a GAN, or its images have another shape than the real ones.
        """
        if not hasattr(model, "generator"):
            raise UserError(f"expected a ganlib.GAN, got a {type(model).__name__}: use of_source for images")
        if getattr(model.generator, "image_shape", self.source.image_shape) != self.source.image_shape:
            raise UserError(
                f"{self.source.name} has images of {self.source.image_shape}, the GAN generates {model.generator.image_shape}: "
                "use real images of the same shape"
            )
        if self._with_cas and not model.generator.num_classes:
            raise UserError("cas requires a conditional GAN, whose images have labels: omit it")
        batches = generated_batches(model, self.samples, self.seed, self.source.labels)
        return self._compute_metrics(batches, shared_by_replicas(self.extractor, model.distribute_strategy))

    def of_source(self, fake):
        """Computes the metrics of all images of ``fake``, a `ganlib.data.Source`: a dict from names to floats.

        Raises:
            UserError: If images have another shape, or a CAS is requested and they have no labels.
        """
        if fake.image_shape != self.source.image_shape:
            raise UserError(
                f"{self.source.name} has images of {self.source.image_shape}, {fake.name} of {fake.image_shape}: "
                "set the same image_size for both"
            )
        if self._with_cas and fake.labels is None:
            raise UserError(f"cas requires labeled images, which {fake.name} lacks: omit it")
        return self._compute_metrics(real_batches(fake), self.extractor)

    def prepare(self):
        """Computes the statistics of the real images, so that errors occur before training."""
        return self.real.moments.count

    def _real_batches(self):
        return self._with_progress(real_batches(self.source), "real images", self.source.num_examples)

    def _compute_metrics(self, batches, extractor):
        real, collected = self.real, []
        if self._with_cas:
            batches = _collect(batches, collected)
        fake = gather(extractor, self._with_progress(batches, "generated images", self.samples))
        results = measure(self.names, real, fake, self.seed)
        if self._with_cas:
            images, labels = (np.concatenate(arrays) for arrays in zip(*collected, strict=True))
            results |= {"cas": self._test_accuracy_of(images, labels), "cas_real": self._accuracy_of_real()}
        return results

    def _test_accuracy_of(self, images, labels):
        """Computes the test accuracy of a classifier trained on these images."""
        return metrics.classification_accuracy_score(
            images, labels, self.test.images, self.test.labels, self.source.num_classes, self.seed
        )

    def _accuracy_of_real(self):
        """Computes the test accuracy after training on the same number of real images; cached, since it is the same for all
        models.
        """
        count = min(self.samples, self.source.num_examples)
        code = versions.of(in_domain.version(), versions.of_code("metrics/classification_accuracy.py"))
        key = ("cas", *cache.key_of(self.source), *cache.key_of(self.test), code, count, self.seed)

        def compute():
            indices = np.random.default_rng(self.seed).permutation(self.source.num_examples)[:count]
            return {"accuracy": np.array(self._test_accuracy_of(self.source.images[indices], self.source.labels[indices]))}

        return float(cache.arrays(self._cache_dir, key, compute)["accuracy"])

    def _with_progress(self, batches, name, count):
        total = -(-count // BATCH_SIZE)
        return tqdm.tqdm(batches, name, total, unit=f"x{BATCH_SIZE}", mininterval=1.0, disable=not self._progress)


def shared_by_replicas(extractor, strategy):
    """Returns a `ganlib.metrics.extractor.FeatureExtractor` whose images are distributed over all replicas of a
    `tf.distribute.Strategy`.
    """
    replicas = strategy.num_replicas_in_sync
    return extractor if replicas == 1 else extractor.run_by(functools.partial(on_replicas, strategy), 64 * replicas)


def _check_cas(source, test):
    if test is None:
        raise UserError("cas requires real test images: pass test, or omit cas")
    for dataset in (source, test):
        if dataset.images is None or dataset.labels is None:
            raise UserError(f"cas requires labeled images in memory, which {dataset.name} lacks: omit it")
    partition.check_test_set(source, test)


def _collect(batches, collected):
    """Yields the same batches and appends each to the list ``collected``."""
    for batch in batches:
        collected.append(batch)
        yield batch


def evaluation_record(results, evaluation, **facts):
    """Returns the contents of ``evaluation.json``: the results and everything they depend on."""
    return {
        "results": results,
        "metrics": evaluation.requested,
        "samples": evaluation.samples,
        "real": evaluation.source.name,
        "real_images": evaluation.source.num_examples,
        "real_content": evaluation.source.fingerprint,
        "features": evaluation.extractor.name,
        "features_version": evaluation.extractor.version,
        "seed": evaluation.seed,
        "ganlib": ganlib.__version__,
        "code": versions.of_code(),
        **({"test_content": evaluation.test.fingerprint} if evaluation.test else {}),
        **facts,
    }


def real_batches(source, seed=0):
    """Yields all images of a source once, in random order: ``(images, labels)``, uint8 and integers or None.

    Args:
        source: A `ganlib.data.Source`.
        seed: An integer that determines the order. Defaults to 0.
    """
    if source.read is None:
        for images, labels in source.stream(seed).batch(BATCH_SIZE).as_numpy_iterator():
            yield images, labels if source.class_names else None
        return
    order = np.random.default_rng(seed).permutation(source.num_examples)
    for start in range(0, len(order), BATCH_SIZE):
        indices = order[start : start + BATCH_SIZE]
        yield source.pick(indices), None if source.labels is None else source.labels[indices]


def generated_batches(model, count, seed=0, real_labels=None):
    """Yields images of a model's averaged generator: ``(images, labels)``, uint8 and integers or None.

    An instance-conditioned model is conditioned on randomly chosen stored instances, which are not labels.

    Args:
        model: A `ganlib.GAN`.
        count: The total number of images.
        seed: An integer that determines latents and labels. Defaults to 0.
        real_labels: Labels whose frequencies a conditional model follows; None uses all classes equally. Defaults to None.

    Raises:
        UserError: If images are not finite.
    """
    latents = latents_for(count, model.generator.latent_dim, seed)
    generator, labels, conditioning = model.generator, None, None
    if generator.condition_spec:
        use_real = generator.num_classes and real_labels is not None
        candidates = real_labels if use_real else np.arange(generator.num_conditions)
        labels = np.random.default_rng(seed).choice(candidates, count)
        conditioning = generator.labels_for(count, labels)
    for start in range(0, count, BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        images = model.generate_from(latents[rows], None if conditioning is None else conditioning[rows], BATCH_SIZE)
        yield plots.to_uint8(images), labels[rows] if generator.num_classes else None


def generated_source(model, count, seed=0, class_names=()):
    """Returns images of a conditional model's averaged generator as a labeled `ganlib.data.Source` with equally frequent
    classes.

    Args:
        model: A `ganlib.GAN` with classes.
        count: The total number of images.
        seed: An integer that determines latents and labels. Defaults to 0.
        class_names: The names of the classes; if empty, they are named by their indices. Defaults to ``()``.

    Raises:
        UserError: If the model has no classes.
    """
    if not model.generator.num_classes:
        raise UserError("images for a classifier require labels: train the GAN with --config.conditional=True")
    batches = generated_batches(model, count, seed)
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    names = class_names or tuple(str(k) for k in range(model.generator.num_classes))
    return sources.from_arrays("generated", images, labels, names)


def nearest_neighbors(model, source, extractor, rows=10, seed=0):
    """Draws a picture that shows whether images are memorized: each row holds a generated image and its nearest real images in
    feature space.

    Args:
        model: A `ganlib.GAN`.
        source: The real training images.
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`.
        rows: The number of generated images. Defaults to 10.
        seed: The seed of their latents. Defaults to 0.

    Returns:
        A `PIL.Image.Image`.
    """
    generated = plots.to_uint8(model.generate(rows, seed=seed))
    generated_features = extractor(generated).features
    nearest = [[] for _ in range(rows)]  # pairs of distance and image, nearest first
    for images, _ in real_batches(source):
        real_features = extractor(images).features
        for row, feature in enumerate(generated_features):
            distances = np.linalg.norm(real_features - feature, axis=1)
            candidates = nearest[row] + [(distances[i], images[i]) for i in np.argsort(distances)[:NEIGHBORS]]
            nearest[row] = sorted(candidates, key=lambda pair: pair[0])[:NEIGHBORS]
    cells = [image for row in range(rows) for image in (generated[row], *(image for _, image in nearest[row]))]
    return plots.image_grid(np.stack(cells), columns=1 + NEIGHBORS)
