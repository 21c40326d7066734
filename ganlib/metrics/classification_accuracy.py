"""The classification accuracy score: what a classifier learns from generated images alone."""

from ganlib.metrics import in_domain
from ganlib.metrics.classification import accuracy


def classification_accuracy_score(images, labels, test_images, test_labels, num_classes, seed=0):
    """The test accuracy of a classifier that was trained on generated images: Ravuri & Vinyals 2019 (arXiv:1905.10887).

    Compare it with the same score of as many real images. The classifier is that of `ganlib.metrics.in_domain`, not
    the paper's ResNet-50 for ImageNet.

    Args:
        images: ``(n, height, width, channels)`` uint8, generated.
        labels: ``(n,)`` integers in ``[0, num_classes)``, of which they were generated.
        test_images: ``(m, height, width, channels)`` uint8, real.
        test_labels: ``(m,)`` integers.
        num_classes: the number of classes.
        seed: an integer, from which the classifier's weights follow.

    Returns:
        A float in ``[0, 1]``.

    Raises:
        UserError: for images that are not uint8, and labels that are not integers of that range. Of classes without
            generated images a warning tells.
    """
    classifier = in_domain.train(images, labels, num_classes, seed)
    return accuracy(test_labels, classifier.predict(test_images, batch_size=250, verbose=0)["probabilities"])
