from ganlib import data, metrics
from ganlib.metrics import in_domain


def score(label_shift=0):
    source, test = data.open("digits"), data.open("digits", "test")
    labels = (source.labels + label_shift) % 10
    return metrics.classification_accuracy_score(source.images, labels, test.images, test.labels, 10)


def test_the_score_is_the_test_accuracy_after_training_on_the_labels(monkeypatch):
    monkeypatch.setattr(in_domain, "MIN_STEPS", 400)
    assert 0.9 < score() < 1
    assert score(label_shift=1) < 0.02  # wrong labels are learned nearly as well


def test_the_score_is_deterministic(monkeypatch):
    monkeypatch.setattr(in_domain, "MIN_STEPS", 1)
    assert score() == score()
