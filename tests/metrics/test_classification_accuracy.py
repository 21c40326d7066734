import numpy as np

from ganlib import data, metrics


def test_it_is_the_accuracy_on_the_test_images_of_what_the_labels_teach():
    source, test = data.open("digits"), data.open("digits", "test")
    score = metrics.classification_accuracy_score(source.images, source.labels, test.images, test.labels, 10)
    assert 0.95 < score < 1
    # Labels that are all one further teach the wrong answer, nearly as well.
    moved = metrics.classification_accuracy_score(source.images, (source.labels + 1) % 10, test.images, test.labels, 10)
    assert moved < 0.02
    assert score == metrics.classification_accuracy_score(
        np.array(source.images), np.array(source.labels), test.images, test.labels, 10
    )
