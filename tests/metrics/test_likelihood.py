import numpy as np
import pytest
import scipy.optimize
import scipy.spatial
import scipy.special
import scipy.stats

import ganlib
from ganlib.metrics import arrays, likelihood
from ganlib.metrics.likelihood import feature_likelihood


def loss_by_double_loop(centers, log_variances, points):
    """Computes the negative log-likelihood per feature with explicit loops and the densities of scipy."""
    total = 0.0
    for point in points:
        density = 0.0
        for center, log_variance in zip(centers, log_variances, strict=True):
            density += np.prod(scipy.stats.norm.pdf(point, center, np.exp(log_variance / 2))) / len(centers)
        total -= np.log(density)
    return total / points.size


def features_without_a_generator():
    """Returns training, test and generated features that any language can compute."""
    values = np.sin(np.arange(1, 1 + 900 * 12, dtype=np.float64).reshape(900, 12) * 12.9898) * 43758.5453
    values -= np.floor(values)
    values[:, 1] += values[:, 0]
    values[:, 2] *= 5
    return values[:300], values[300:600], values[600:]


def test_the_likelihood_matches_a_double_loop(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 7)
    rng = np.random.default_rng(0)
    centers, points = rng.normal(size=(15, 4)), rng.normal(size=(20, 4))
    log_variances = np.float32(rng.normal(size=15))
    expected = loss_by_double_loop(centers, log_variances, points)
    assert likelihood._negative_log_likelihood(centers, log_variances, points) == pytest.approx(expected, rel=1e-5)


def test_one_point_matches_a_value_by_hand():
    # At a distance of 2 from one center of variance 4 in two dimensions: (2 log(2 pi 4) + 4 / 4) / 2 / 2.
    value = likelihood._negative_log_likelihood(np.zeros((1, 2)), np.float32([np.log(4)]), np.array([[2.0, 0.0]]))
    assert value == pytest.approx((2 * np.log(8 * np.pi) + 1) / 4, rel=1e-6)


def test_the_fit_finds_the_optimum_of_scipy(monkeypatch):
    monkeypatch.setattr(likelihood, "EPOCHS", 300)
    monkeypatch.setattr(likelihood, "TOLERANCE", 1e-7)
    rng = np.random.default_rng(0)
    centers, points = rng.normal(size=(6, 3)), rng.normal(size=(80, 3))
    distances = scipy.spatial.distance.cdist(points, [*centers, points.mean(axis=0)]) ** 2
    distances[:, -1] *= 0.81
    log_weights = np.append(np.full(6, -np.log(6)), 0.0)

    def loss(log_variances):
        logits = log_weights - 0.5 * distances / np.exp(log_variances) - 1.5 * (log_variances + np.log(2 * np.pi))
        return -scipy.special.logsumexp(logits, axis=1).mean() / 3

    start = np.append(np.log((distances[:, :-1].min(axis=0) + 1e-3) / 3), 0.0)
    optimum = scipy.optimize.minimize(loss, start, bounds=[(-40, 40)] * 7)
    fitted = likelihood._fit(centers, points)
    assert optimum.fun < loss(start) - 0.01
    best_origin = scipy.optimize.minimize_scalar(
        lambda origin: loss(np.append(fitted, origin)), bounds=(-5, 5), method="bounded"
    )
    assert best_origin.fun == pytest.approx(optimum.fun, abs=1e-3)


@pytest.mark.parametrize("batch_size", [10_000, 64])
def test_results_match_the_authors_code(monkeypatch, batch_size):
    # FLD of github.com/marcojira/fld, on CPUs with PyTorch 2.13. The baseline is random, but the same in differences.
    monkeypatch.setattr(likelihood, "BATCH_SIZE", batch_size)
    training, test, fake = features_without_a_generator()
    near = np.concatenate([training[:150] + 0.01 * fake[:150], fake[150:250]])
    good, bad, copying = (feature_likelihood(training, test, case) for case in (fake[:250], fake[:250] * 1.3 + 0.1, near))
    if batch_size == 10_000:
        assert (good.fld_gap, bad.fld_gap, copying.fld_gap) == pytest.approx((-2.58538, -0.08142, -182.216), abs=1e-3)
        assert bad.fld - good.fld == pytest.approx(27.05719 + 1.13450, abs=1e-3)
        assert copying.fld - good.fld == pytest.approx(9.13081 + 1.13450, abs=1e-3)
    assert good.fld == pytest.approx(-1.18, abs=1.5)  # the mean of five of theirs, from -1.62 to -0.79
    assert copying.fld_gap < -100 < good.fld_gap


def test_the_baseline_is_a_mixture_at_half_of_the_training_images():
    # With training images in the order of the seed, the baseline is the loss of the second fit.
    training, test, fake = features_without_a_generator()
    rng = np.random.default_rng(3)
    fake, training = rng.permutation(fake[:100]), rng.permutation(training)
    mean, std = test.mean(axis=0), np.std(test, axis=0, ddof=1)
    parts = [(features - mean) / std for features in (training, test, fake)]
    shuffled = rng.permutation(parts[0])
    losses = [
        loss_by_double_loop(centers, likelihood._fit(centers, points), parts[1])
        for centers, points in ((parts[2], parts[0]), (shuffled[:100], shuffled[100:]))
    ]
    unshuffled = features_without_a_generator()
    result = feature_likelihood(unshuffled[0], test, unshuffled[2][:100], seed=3)
    assert result.fld == pytest.approx(100 * (losses[0] - losses[1]), abs=1e-2)


def test_exact_copies_have_a_far_lower_gap_and_a_higher_fld():
    rng = np.random.default_rng(0)
    training, test, fake = (np.float32(rng.normal(size=(200, 8))) for _ in range(3))
    good, copying = feature_likelihood(training, test, fake), feature_likelihood(training, test, training)
    assert abs(good.fld) < 10
    assert abs(good.fld_gap) < 10
    assert copying.fld_gap < -500
    assert copying.fld > 500


def test_constant_features_are_left_out_with_a_warning(caplog):
    training, test, fake = features_without_a_generator()
    expected = feature_likelihood(training, test, fake)
    assert "leaves out" not in caplog.text
    wider = [np.insert(features, 4, 0.1, axis=1) for features in (training, test, fake)]
    wider[0][0, 4] = 3.0
    assert feature_likelihood(*wider) == pytest.approx(expected, rel=1e-4)
    assert "FLD leaves out 1 of 13 features, constant in the test images" in caplog.text
    with pytest.raises(ganlib.UserError, match="^all features of the test images are constant: [^\n]*$"):
        feature_likelihood(training, np.ones((9, 12)), fake)


def test_the_seed_determines_subsets_and_halves(monkeypatch):
    sets = features_without_a_generator()
    assert feature_likelihood(*sets, seed=1) == feature_likelihood(*sets, seed=1)
    assert feature_likelihood(*sets, seed=1).fld != feature_likelihood(*sets, seed=2).fld
    sizes, fit = [], likelihood._fit
    monkeypatch.setattr(likelihood, "MAX_IMAGES", 100)
    monkeypatch.setattr(likelihood, "_fit", lambda *sets: sizes.append([len(part) for part in sets]) or fit(*sets))
    feature_likelihood(*sets)
    feature_likelihood(sets[0], sets[1], sets[2][:20])
    assert sizes == [[100, 100], [50, 50], [20, 300], [20, 280]]


def test_invalid_input_is_rejected():
    features = np.random.default_rng(0).normal(size=(9, 2))
    with pytest.raises(ganlib.UserError, match=r"^expected features \(n, F\) and \(m, F\) with n, m >= 2, got [^\n]*$"):
        feature_likelihood(features, features, features[:, :1])
    with pytest.raises(ganlib.UserError, match="with n, m >= 2"):
        feature_likelihood(features, features[:1], features)
    with pytest.raises(ganlib.UserError, match="^9 of 9 fake features are not finite[^\n]*$"):
        feature_likelihood(features, features, features * np.nan)
