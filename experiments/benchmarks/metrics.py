"""Times the metrics on random features: python -m experiments.benchmarks.metrics

By default it compares 10,000 with 10,000 feature vectors of 2,048 dimensions, as from the Inception network. It prints seconds,
and the peak memory of the process.
"""

import resource
import time

import numpy as np
from absl import flags

from experiments.common import job

COUNT = flags.DEFINE_integer("count", 10_000, "images in each set", lower_bound=10)
FEATURES = flags.DEFINE_integer("features", 2048, "number of features", lower_bound=1)


def main():
    from ganlib import metrics

    rng = np.random.default_rng(0)
    real, fake, test = (rng.normal(size=(COUNT.value, FEATURES.value)).astype(np.float32) for _ in range(3))
    moments = [metrics.Moments.of(features) for features in (real, fake)]
    computations = {
        "FID from moments": lambda: moments[0].distance(moments[1]),
        "FID from features": lambda: metrics.frechet_distance(real, fake),
        "KID, 100 subsets of 1,000": lambda: metrics.kernel_distance(real, fake),
        "precision and recall": lambda: metrics.precision_recall(real, fake),
        "density and coverage": lambda: metrics.density_coverage(real, fake),
        "authenticity": lambda: metrics.authenticity(real, fake),
        "CMMD": lambda: metrics.cmmd(real, fake),
        "Vendi score": lambda: metrics.vendi_score(fake),
        "FLD, with as many test images": lambda: metrics.feature_likelihood(real, test, fake),
    }
    for name, compute in computations.items():
        started = time.perf_counter()
        compute()
        print(f"{name:<30}{time.perf_counter() - started:8.1f} s", flush=True)
    print(f"{'peak memory':<30}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:8.2f} GiB")


if __name__ == "__main__":
    job.start(main)
