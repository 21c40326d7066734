"""The classification accuracy score (CAS): the accuracy of a classifier trained only on generated images."""

from ganlib.metrics import in_domain
from ganlib.metrics.classification import accuracy
from ganlib.metrics.metric import Metric, Result


def classification_accuracy_score(images, labels, test_images, test_labels, num_classes, seed=0):
    """Computes the test accuracy of a classifier trained on generated images: Ravuri & Vinyals 2019 (arXiv:1905.10887).

    Compare it with the score of the same number of real images. The classifier is that of `ganlib.metrics.in_domain`, not the
    paper's ResNet-50 for ImageNet. A warning is logged if a class has no generated images.

    Args:
        images: ``(n, height, width, channels)`` uint8 generated images.
        labels: ``(n,)`` integers in ``[0, num_classes)`` on which they are conditioned.
        test_images: ``(m, height, width, channels)`` uint8 real images.
        test_labels: ``(m,)`` integers.
        num_classes: The number of classes.
        seed: An integer that determines the initial weights of the classifier. Defaults to 0.

    Returns:
        A float in ``[0, 1]``.

    Raises:
        UserError: If images are not uint8, or labels are not integers in range.
    """
    classifier = in_domain.train(images, labels, num_classes, seed)
    return accuracy(test_labels, classifier.predict(test_images, batch_size=250, verbose=0)["probabilities"])


def _cas(source, test, images, labels, seed, cache_dir):
    from ganlib.evaluation import accuracy_score

    return accuracy_score.compute(source, test, images, labels, seed, cache_dir)


METRICS = {
    "cas": Metric(
        {
            "cas": Result("CAS", curve="CAS", higher_is_better=True),
            "cas_real": Result("CAS of real images", curve="CAS", higher_is_better=True),
        },
        _cas,
        inputs="labeled_images",
        against=("real", "test"),
        needs=("labels",),
    )
}
