"""Measures a trained generator against the data that it learned from: `ganlib.metrics` for a model and a source."""

import numpy as np
import tqdm

import ganlib
from ganlib import metrics, plots
from ganlib.data import Source
from ganlib.errors import UserError, choose
from ganlib.gan import GAN, latents_for
from ganlib.metrics import cache, features, in_domain
from ganlib.metrics.evaluate import MEASURES, gather, gather_cached, measure

BATCH_SIZE = 250
NEIGHBOURS = 3


class Evaluation:
    """Measures one generator after another against the same real images.

    Args:
        source: the real training images.
        names: out of `ganlib.metrics.evaluate.MEASURES`.
        features: the feature network, as `ganlib.metrics.features.get` takes it.
        samples: how many images are generated for it. All the real ones are used.
        seed: an integer, from which latents, labels and subsets follow.
        cache_dir: where the real images' statistics are kept; None takes `ganlib.metrics.cache.default_folder`.
        progress: show bars with the time left.

    Example:
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
                 progress=False):  # fmt: skip
        if samples < 2:
            raise UserError(f"samples must be at least 2, got {samples}")
        for name in names:
            choose("metric", name, MEASURES)
        self.source, self.names, self.samples, self.seed = source, list(names), samples, seed
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

    def __call__(self, model: GAN):
        """The measures of a model's averaged generator: a dict from names to floats."""
        return self._measured(generated_batches(model, self.samples, self.seed, self.source.labels))

    def of_source(self, fake):
        """The measures of images that lie in another source, all of them: a dict from names to floats."""
        if fake.image_shape != self.source.image_shape:
            raise UserError(
                f"{self.source.name} has images of {self.source.image_shape}, {fake.name} of {fake.image_shape}: "
                "bring both to one image_size"
            )
        return self._measured(real_batches(fake))

    def prepare(self):
        """Computes the real images' statistics, so that what can fail does so before training."""
        return self.real.moments.count

    def _measured(self, batches):
        real = self.real
        fake = gather(self.extractor, self._shown(batches, "generated images", self.samples))
        return measure(self.names, real, fake, self.seed)

    def _shown(self, batches, name, count):
        total = -(-count // BATCH_SIZE)
        return tqdm.tqdm(batches, name, total, unit=f"x{BATCH_SIZE}", mininterval=1.0, disable=not self._progress)


def described(results, evaluation, **facts):
    """What ``evaluation.json`` holds: the results and all on which they depend."""
    return {
        "results": results, "samples": evaluation.samples, "real": evaluation.source.name,
        "real_images": evaluation.source.num_examples, "features": evaluation.extractor.name,
        "features_version": evaluation.extractor.version, "seed": evaluation.seed, "ganlib": ganlib.__version__, **facts,
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
        images = source.images[indices] if source.images is not None else source.read(indices).numpy()
        yield images, None if source.labels is None else source.labels[indices]


def generated_batches(model, count, seed=0, real_labels=None):
    """Images of a model's averaged generator: yields ``(images, labels)``, uint8 and integers or None.

    Args:
        model: a `ganlib.GAN`.
        count: how many images in all.
        seed: an integer, from which latents and labels follow.
        real_labels: labels whose frequencies those of a conditional model follow; None takes all classes alike.
    """
    latents = latents_for(count, model.generator.latent_dim, seed)
    labels = None
    if model.generator.num_classes:
        among = np.arange(model.generator.num_classes) if real_labels is None else real_labels
        labels = np.random.default_rng(seed).choice(among, count)
    for start in range(0, count, BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        own = None if labels is None else labels[part]
        yield plots.to_uint8(model.generate_from(latents[part], own, BATCH_SIZE)), own


def classification_accuracy_score(model, source, test, count=None, seed=0):
    """What a classifier learns from generated images alone: Ravuri & Vinyals 2019 (arXiv:1905.10887).

    The classifier is that of `ganlib.metrics.in_domain`. It is trained once on ``count`` generated images and once on
    as many real ones, and tested on real images.

    Args:
        model: a conditional `ganlib.GAN`.
        source: the real training images, labelled and in memory.
        test: the real test images, labelled and in memory.
        count: how many images to train on; None takes as many as ``source`` has.
        seed: an integer, from which latents, labels and the classifier's weights follow.

    Returns:
        A dict of ``"cas"``, the accuracy after training on generated images, and ``"cas_real"``, that on real ones.

    Raises:
        UserError: for an unconditional model, or images that are not in memory.
    """
    if not model.generator.num_classes:
        raise UserError("cas needs a conditional GAN, whose images have labels: leave it out")
    if source.images is None or test.images is None:
        raise UserError(f"cas needs images in memory, and {source.name} is streamed: leave it out")
    count = min(count or source.num_examples, source.num_examples)
    fake = list(generated_batches(model, count, seed, source.labels))
    chosen = np.random.default_rng(seed).permutation(source.num_examples)[:count]
    sets = {
        "cas": (np.concatenate([images for images, _ in fake]), np.concatenate([labels for _, labels in fake])),
        "cas_real": (source.images[chosen], source.labels[chosen]),
    }
    return {name: _accuracy_after(*images, test, source.num_classes, seed) for name, images in sets.items()}


def _accuracy_after(images, labels, test, num_classes, seed):
    classifier = in_domain.train(images, labels, num_classes, seed)
    probabilities = classifier.predict(test.images, batch_size=BATCH_SIZE, verbose=0)["probabilities"]
    return metrics.accuracy(test.labels, probabilities)


def nearest_neighbours(model, source, extractor, rows=10, seed=0):
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
