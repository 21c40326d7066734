from ganlib import data, metrics
from ganlib.metrics import in_domain


def score(labels_further=0):
    source, test = data.open("digits"), data.open("digits", "test")
    labels = (source.labels + labels_further) % 10
    return metrics.classification_accuracy_score(source.images, labels, test.images, test.labels, 10)


def test_it_is_the_accuracy_on_the_test_images_of_what_the_labels_teach(monkeypatch):
    monkeypatch.setattr(in_domain, "MIN_STEPS", 400)
    assert 0.9 < score() < 1
    assert score(labels_further=1) < 0.02  # which teaches the wrong answer, nearly as well


def test_it_is_the_same_again(monkeypatch):
    monkeypatch.setattr(in_domain, "MIN_STEPS", 1)
    assert score() == score()
