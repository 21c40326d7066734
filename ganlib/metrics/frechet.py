"""The Fréchet distance between two sets of features: Heusel et al. 2017 (arXiv:1706.08500), Dowson & Landau 1982."""

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import check_finite, checked_features, log
from ganlib.metrics.metric import Metric, Result


def frechet_distance(real, fake):
    """Computes the squared Fréchet distance of two Gaussians with the means and covariances of two sets of features.

    ``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))``, computed in float64. With Inception features it is the FID.

    Args:
        real: ``(n, F)`` features, n at least 2.
        fake: ``(m, F)`` features, m at least 2.

    Returns:
        A nonnegative float.

    Raises:
        UserError: If the shapes are wrong, or features are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> round(metrics.frechet_distance(features, features + 2.0), 6)
        12.0
    """
    real, fake = checked_features(real, fake)
    return Moments.of(real).distance(Moments.of(fake))


class Moments:
    """The count, mean and covariance of features, accumulated over batches in constant memory.

    Batches are merged by the pairwise update of Chan et al. 1979, which preserves precision if the mean is large.

    Args:
        num_features: The number of features F.

    Attributes:
        count: The number of accumulated rows.
        mean: ``(F,)`` float64.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics import Moments
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> moments = Moments(3)
        >>> moments.add(features[:60])
        >>> moments.add(features[60:])
        >>> np.allclose(moments.covariance, np.cov(features, rowvar=False))
        True
    """

    STATE = ("count", "mean", "scatter")

    def __init__(self, num_features):
        self.count = 0
        self.mean = np.zeros(num_features)
        self._scatter = np.zeros((num_features, num_features))

    @classmethod
    def of(cls, features):
        """Computes the moments of ``(n, F)`` features."""
        moments = cls(np.shape(features)[-1])
        moments.add(features)
        return moments

    def state(self):
        """Returns a dict of arrays with the keys `STATE`, from which `from_state` restores the moments."""
        return {"count": np.array(self.count), "mean": self.mean, "scatter": self._scatter}

    @classmethod
    def from_state(cls, state):
        """Restores moments from their `state`."""
        moments = cls(len(state["mean"]))
        moments.count, moments.mean, moments._scatter = int(state["count"]), state["mean"], state["scatter"]
        return moments

    def add(self, features):
        """Adds ``(n, F)`` features.

        Raises:
            UserError: If the number of features differs, or values are not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise UserError(f"expected features (n, {len(self.mean)}), got {features.shape}")
        check_finite(features, "features")
        if len(features):
            mean = features.mean(axis=0)
            centered = features - mean
            self._merge(len(features), mean, centered.T @ centered)

    def merge(self, other):
        """Adds the rows accumulated by another `Moments`."""
        if other.count:
            self._merge(other.count, other.mean, other._scatter)

    @property
    def covariance(self):
        """The ``(F, F)`` float64 covariance, divided by ``count - 1``; raises a `UserError` for fewer than 2 rows."""
        if self.count < 2:
            raise UserError(f"a covariance requires at least 2 images, got {self.count}")
        return self._scatter / (self.count - 1)

    def distance(self, other):
        """Computes the squared Fréchet distance to another `Moments`: a nonnegative float."""
        difference, first, second = self.mean - other.mean, self.covariance, other.covariance
        # tr (S1 S2)^(1/2) is the sum of the singular values of R1 R2, with R the symmetric roots. The common method, roots
        # of the eigenvalues of S1 S2, loses half the digits if the covariances are singular.
        cross = np.linalg.svd(_matrix_sqrt(first) @ _matrix_sqrt(second), compute_uv=False).sum()
        return float(max(difference @ difference + np.trace(first) + np.trace(second) - 2.0 * cross, 0.0))

    def _merge(self, count, mean, scatter):
        total, difference = self.count + count, mean - self.mean
        self._scatter += scatter + np.outer(difference, difference) * (self.count * count / total)
        self.mean = self.mean + difference * (count / total)
        self.count = total


def _matrix_sqrt(covariance):
    """Computes the symmetric square root of a symmetric positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _fid(real, fake, seed):
    _warn_if_singular([real.moments, fake.moments])
    return {"fid": real.moments.distance(fake.moments)}


def _intra_fid(real, fake, seed):
    """Computes the mean over classes of the FID of each class: Miyato & Koyama 2018 (arXiv:1802.05637), section 4."""
    if not real.by_class or not fake.by_class:
        raise UserError("intra_fid requires labeled data and a conditional GAN with the same classes: omit it")
    for name, one, other in (("generated", fake, real), ("real", real, fake)):
        too_few = sorted(label for label in other.by_class if label not in one.by_class or one.by_class[label].count < 2)
        if too_few:
            raise UserError(
                f"intra_fid requires 2 images of each class, but class {too_few[0]} has fewer {name} ones: "
                "increase the number of images, or omit it"
            )
    _warn_if_singular([*real.by_class.values(), *fake.by_class.values()], " of a class")
    return {"intra_fid": float(np.mean([real.by_class[k].distance(fake.by_class[k]) for k in real.by_class]))}


def _fid_test(test, fake, seed):
    _warn_if_singular([test.moments, fake.moments])
    return {"fid_test": test.moments.distance(fake.moments)}


def _warn_if_singular(all_moments, subset=""):
    """Warns if a covariance is singular."""
    num_images, num_features = min(moments.count for moments in all_moments), len(all_moments[0].mean)
    if num_images <= num_features:
        message = (
            "%d images%s are too few for %d features: their covariance is singular and the FID far too high; compare it "
            "only with FIDs of the same number of images"
        )
        log.warning(message, num_images, subset, num_features)


METRICS = {
    "fid": Metric({"fid": Result("FID", "{:.2f}")}, _fid),
    "fid_test": Metric({"fid_test": Result("FID to test images", "{:.2f}", "FID")}, _fid_test, against=("test",)),
    "intra_fid": Metric({"intra_fid": Result("intra-class FID", "{:.2f}")}, _intra_fid, needs=("labels", "moments_by_class")),
}
