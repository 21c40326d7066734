import numpy as np
import pytest

import ganlib
from ganlib import data, metrics
from ganlib.evaluation import Evaluation, judges
from ganlib.metrics import in_domain


@pytest.fixture
def loaded(monkeypatch):
    """The sources whose classifiers were loaded; they are not trained."""
    sources = []
    monkeypatch.setattr(in_domain, "load", lambda source, folder: sources.append(source.name) or in_domain.untrained(source))
    return sources


def sources():
    """Real images and test images of two unequal classes."""
    parts = [data.open("digits", split) for split in ("train", "test")]
    return [
        data.from_arrays(part.name, part.images, np.minimum(part.labels, 3) // 3, ("few", "many")).subset(np.arange(300))
        for part in parts
    ]


@pytest.mark.parametrize(("features", "trained_on", "judged_on"), [("in_domain", 0, 1), ("in_domain:test", 1, 0)])
def test_the_judge_is_tested_on_the_images_that_it_was_not_trained_on(loaded, features, trained_on, judged_on):
    real, test = images = sources()
    evaluate = Evaluation(real, ["fid"], features, samples=10, test=test if features == "in_domain:test" else None)
    result = judges.accuracy(evaluate, test)
    assert loaded == [images[trained_on].name]
    held_out = images[judged_on]
    probabilities = evaluate.extractor(held_out.images).probabilities
    assert result == {
        "images": held_out.name,
        "num_images": 300,
        "accuracy": metrics.accuracy(held_out.labels, probabilities),
        "balanced_accuracy": metrics.balanced_accuracy(held_out.labels, probabilities),
        "majority_accuracy": np.mean(held_out.labels),
    }


def test_what_cannot_be_judged(loaded):
    real, test = sources()
    other_classes = data.from_arrays("other", test.images, test.labels, ("a", "b"))
    evaluate = Evaluation(real, ["fid"], samples=10)
    assert judges.accuracy(evaluate) is judges.accuracy(evaluate, other_classes) is None
    evaluate.features = "efficientnet_lite:0"
    assert judges.accuracy(evaluate, test) is None
    assert loaded == []


def test_metrics_of_test_images_need_a_network_that_was_not_trained_on_them():
    real, test = sources()
    with pytest.raises(ganlib.UserError, match="fid_test compares with the test images, on which .* in_domain:test is trained"):
        Evaluation(real, ["fid_test"], "in_domain:test", samples=10, test=test)
