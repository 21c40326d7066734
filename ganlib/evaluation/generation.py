"""Measures a trained generator against the data that it learned from: `ganlib.metrics` for a model and a source."""

import functools

import numpy as np
import tqdm

import ganlib
from ganlib import metrics, plots, versions
from ganlib.data import Source, partition, sources
from ganlib.errors import UserError, choose, integer
from ganlib.metrics import cache, features, in_domain
from ganlib.metrics.evaluate import MEASURES, gather, gather_cached, measure
from ganlib.models.adversarial import AdversarialModel, latents_for
from ganlib.training.replicas import on_replicas

BATCH_SIZE = 250
NEIGHBOURS = 3


class Evaluation:
    """Measures one generator after another against the same real images.

    Args:
        source: the real training images.
        names: out of `ganlib.metrics.evaluate.MEASURES`, and ``"cas"`` for the classification accuracy score of
            as many generated images, beside that of as many real ones.
        features: the feature network, as `ganlib.metrics.features.get` takes it.
        samples: how many images are generated for it. All the real ones are used.
        seed: an integer, from which latents, labels and subsets follow.
        cache_dir: where the real images' statistics are kept; None takes `ganlib.metrics.cache.default_folder`.
        progress: show bars with the time left.
        test: the real test images, for ``"cas"``.

    Raises:
        UserError: for an unknown measure, too few samples, or a CAS without labeled images in memory.

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

    def __init__(self, source: Source, names, features="in_domain", samples=5000, seed=0, cache_dir=None,
                 progress=False, test=None):  # fmt: skip
        samples = integer("samples", samples, 2)
        if isinstance(names, str):
            raise UserError(f"the measures must be a list of names, such as ['fid'], got {names!r}")
        for name in names:
            choose("metric", name, {**MEASURES, "cas": None})
        if "cas" in names:
            _check_cas(source, test)
        self.source, self.test, self.samples, self.seed = source, test, samples, seed
        self.asked, self._with_cas = list(names), "cas" in names
        self.names = [name for name in names if name != "cas"]
        self._features, self._cache_dir, self._progress = features, cache_dir, progress
        self._extractor = self._real = None

    @property
    def extractor(self):
        """The feature network, made when it is first needed."""
        if self._extractor is None:
            self._extractor = features.get(self._features, self.source, self._cache_dir)
        return self._extractor

    @property
    def real(self):
        """The real images' statistics, from the cache or computed when they are first needed."""
        if self._real is None:
            images = lambda: self._shown(real_batches(self.source), "real images", self.source.num_examples)  # noqa: E731
            self._real = gather_cached(self.extractor, images, cache.key_of(self.source), self._cache_dir)
        return self._real

    def __call__(self, model: AdversarialModel):
        """The measures of a model's averaged generator: a dict from names to floats.

        Raises:
            UserError: for a model whose images are of another shape than the real ones, or that is no GAN.
        """
        if not hasattr(model, "generator"):
            raise UserError(f"a ganlib.GAN is measured, got a {type(model).__name__}: of images there is of_source")
        if getattr(model.generator, "image_shape", self.source.image_shape) != self.source.image_shape:
            raise UserError(
                f"{self.source.name} has images of {self.source.image_shape}, the GAN makes {model.generator.image_shape}: "
                "measure it against images of its own shape"
            )
        if self._with_cas and not model.generator.num_classes:
            raise UserError("cas needs a conditional GAN, whose images have labels: leave it out")
        batches = generated_batches(model, self.samples, self.seed, self.source.labels)
        return self._measured(batches, shared_by_replicas(self.extractor, model.distribute_strategy))

    def of_source(self, fake):
        """The measures of all images of ``fake``, a `ganlib.data.Source`: a dict from names to floats.

        Raises:
            UserError: for images of another shape, and where the CAS is asked of images without labels.
        """
        if fake.image_shape != self.source.image_shape:
            raise UserError(
                f"{self.source.name} has images of {self.source.image_shape}, {fake.name} of {fake.image_shape}: "
                "bring both to one image_size"
            )
        if self._with_cas and fake.labels is None:
            raise UserError(f"cas needs labeled images, which {fake.name} has not: leave it out")
        return self._measured(real_batches(fake), self.extractor)

    def prepare(self):
        """Computes the real images' statistics, so that what can fail does so before training."""
        return self.real.moments.count

    def _measured(self, batches, extractor):
        real, seen = self.real, []
        if self._with_cas:
            batches = _noting(batches, seen)
        fake = gather(extractor, self._shown(batches, "generated images", self.samples))
        results = measure(self.names, real, fake, self.seed)
        if self._with_cas:
            images, labels = (np.concatenate(parts) for parts in zip(*seen, strict=True))
            results |= {"cas": self._accuracy_after(images, labels), "cas_real": self._accuracy_after_real()}
        return results

    def _accuracy_after(self, images, labels):
        """The test accuracy of a classifier that learns from these images."""
        return metrics.classification_accuracy_score(
            images, labels, self.test.images, self.test.labels, self.source.num_classes, self.seed
        )

    def _accuracy_after_real(self):
        """That after as many real images, which all models of one data set share, so it is cached."""
        count = min(self.samples, self.source.num_examples)
        code = versions.of(in_domain.version(), versions.of_code("metrics/classification_accuracy.py"))
        key = ("cas", *cache.key_of(self.source), *cache.key_of(self.test), code, count, self.seed)

        def compute():
            chosen = np.random.default_rng(self.seed).permutation(self.source.num_examples)[:count]
            return {"accuracy": np.array(self._accuracy_after(self.source.images[chosen], self.source.labels[chosen]))}

        return float(cache.arrays(self._cache_dir, key, compute)["accuracy"])

    def _shown(self, batches, name, count):
        total = -(-count // BATCH_SIZE)
        return tqdm.tqdm(batches, name, total, unit=f"x{BATCH_SIZE}", mininterval=1.0, disable=not self._progress)


def shared_by_replicas(extractor, strategy):
    """A `ganlib.metrics.extractor.FeatureExtractor` whose images all replicas of a `tf.distribute.Strategy` share."""
    replicas = strategy.num_replicas_in_sync
    return extractor if replicas == 1 else extractor.run_by(functools.partial(on_replicas, strategy), 64 * replicas)


def _check_cas(source, test):
    if test is None:
        raise UserError("cas needs real test images: give them, or leave it out")
    for images in (source, test):
        if images.images is None or images.labels is None:
            raise UserError(f"cas needs labeled images in memory, which {images.name} has not: leave it out")
    partition.check_test_set(source, test)


def _noting(batches, seen):
    """The same batches, each put into the list ``seen`` as it passes."""
    for batch in batches:
        seen.append(batch)
        yield batch


def evaluation_record(results, evaluation, **facts):
    """What ``evaluation.json`` holds: the results and all on which they depend."""
    return {
        "results": results, "metrics": evaluation.asked, "samples": evaluation.samples, "real": evaluation.source.name,
        "real_images": evaluation.source.num_examples, "real_content": evaluation.source.fingerprint,
        "features": evaluation.extractor.name, "features_version": evaluation.extractor.version,
        "seed": evaluation.seed, "ganlib": ganlib.__version__, "code": versions.of_code(),
        **({"test_content": evaluation.test.fingerprint} if evaluation.test else {}), **facts,
    }  # fmt: skip


def real_batches(source, seed=0):
    """All images of a source once, in an order by ``seed``: yields ``(images, labels)``, uint8 and integers or None."""
    if source.read is None:
        for images, labels in source.stream(seed).batch(BATCH_SIZE).as_numpy_iterator():
            yield images, labels if source.class_names else None
        return
    order = np.random.default_rng(seed).permutation(source.num_examples)
    for start in range(0, len(order), BATCH_SIZE):
        indices = order[start : start + BATCH_SIZE]
        yield source.pick(indices), None if source.labels is None else source.labels[indices]


def generated_batches(model, count, seed=0, real_labels=None):
    """Images of a model's averaged generator: yields ``(images, labels)``, uint8 and integers or None.

    Of an instance-conditioned one, the instances that it keeps are taken at random; they are no labels.

    Args:
        model: a `ganlib.GAN`.
        count: how many images in all.
        seed: an integer, from which latents and labels follow.
        real_labels: labels whose frequencies those of a conditional model follow; None takes all classes alike.

    Raises:
        UserError: for images that are not finite.
    """
    latents = latents_for(count, model.generator.latent_dim, seed)
    generator, labels, told = model.generator, None, None
    if generator.condition_spec:
        among = real_labels if generator.num_classes and real_labels is not None else np.arange(generator.num_conditions)
        labels = np.random.default_rng(seed).choice(among, count)
        told = generator.labels_for(count, labels)
    for start in range(0, count, BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        images = model.generate_from(latents[part], None if told is None else told[part], BATCH_SIZE)
        yield plots.to_uint8(images), labels[part] if generator.num_classes else None


def generated_source(model, count, seed=0, class_names=()):
    """Images of a conditional model's averaged generator as a labeled `ganlib.data.Source`, all classes alike.

    Args:
        model: a `ganlib.GAN` with classes.
        count: how many images in all.
        seed: an integer, from which latents and labels follow.
        class_names: the names of the classes, or empty to name them by their numbers.

    Raises:
        UserError: if the model has no classes.
    """
    if not model.generator.num_classes:
        raise UserError("images for a classifier need labels: train the GAN with --config.conditional=True")
    batches = generated_batches(model, count, seed)
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    names = class_names or tuple(str(k) for k in range(model.generator.num_classes))
    return sources.from_arrays("generated", images, labels, names)


def nearest_neighbors(model, source, extractor, rows=10, seed=0):
    """A picture against memorising: each row holds a generated image and the real ones nearest to it by features.

    Args:
        model: a `ganlib.GAN`.
        source: the real training images.
        extractor: a `ganlib.metrics.extractor.FeatureExtractor`.
        rows: how many generated images.
        seed: of their latents.

    Returns:
        A `PIL.Image.Image`.
    """
    generated = plots.to_uint8(model.generate(rows, seed=seed))
    wanted = extractor(generated).features
    nearest = [[] for _ in range(rows)]  # pairs of distance and image, the nearest first
    for images, _ in real_batches(source):
        seen = extractor(images).features
        for row, feature in enumerate(wanted):
            distances = np.linalg.norm(seen - feature, axis=1)
            found = nearest[row] + [(distances[i], images[i]) for i in np.argsort(distances)[:NEIGHBOURS]]
            nearest[row] = sorted(found, key=lambda pair: pair[0])[:NEIGHBOURS]
    cells = [image for row in range(rows) for image in (generated[row], *(image for _, image in nearest[row]))]
    return plots.image_grid(np.stack(cells), columns=1 + NEIGHBOURS)
