"""One in-domain classifier for all workers of a distributed training: the chief trains it, and the others get its weights."""

import numpy as np
import tensorflow as tf

from ganlib.metrics import in_domain
from ganlib.training import strategy as strategies


def prepare(source, strategy, cache_dir=None):
    """Writes the same in-domain classifier to the cache of every worker. Does nothing with a single worker.

    Classifiers that workers train themselves differ by rounding, and their features form different spaces. All workers must
    call this function. They do not need a common file system.

    Args:
        source: The `ganlib.data.Source` of the real images.
        strategy: A `tf.distribute.Strategy`, or None for a single device.
        cache_dir: The folder of the classifiers; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
    """
    workers = 1 if strategy is None else strategies.num_workers(strategy)
    if workers == 1:
        return
    is_chief = strategies.is_chief(strategy)
    model = in_domain.load(source, cache_dir) if is_chief else in_domain.untrained(source)
    values = np.concatenate([np.ravel(weight) for weight in model.get_weights()]).astype(np.float64) * is_chief

    @tf.function
    def mean(vector):
        return strategy.reduce("MEAN", strategy.run(tf.identity, (vector,)), axis=None)

    shared = mean(tf.constant(values)).numpy() * workers  # all but the chief's are 0, and float64 keeps float32 exact
    if not is_chief:
        sizes = np.cumsum([weight.size for weight in model.get_weights()])[:-1]
        parts = np.split(shared.astype(np.float32), sizes)
        model.set_weights([part.reshape(weight.shape) for part, weight in zip(parts, model.get_weights(), strict=True)])
        in_domain.store(model, source, cache_dir)
