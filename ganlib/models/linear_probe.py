"""`LinearProbe`: a logistic regression on the features of a frozen network (Alain & Bengio 2016, arXiv:1610.01644)."""

import logging

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits

from ganlib.errors import UserError
from ganlib.metrics.arrays import check_labels
from ganlib.models.supervised import SupervisedClassifier
from ganlib.training import input_checks
from ganlib.training import strategy as strategies

STRENGTHS = tuple(np.logspace(-5, 1, 13))
"""The values of C, the inverse of the weight of the L2 penalty, among which cross-fitting chooses."""

BATCH = 64
"""The number of images whose features are computed at a time."""
FOLDS = 5
DEFAULT_STRENGTH = 0.01
"""The value of C if the labels are too few to choose one: see `MIN_GAIN`. It is also that of a class with one labeled image."""
MIN_GAIN = 0.02
"""The smallest gain in the mean log-likelihood of left-out labels over that of the frequencies of the classes. If no C gains as
much, the smallest one would win by chance, and the classifier would answer with one class. This happened with ten labels of
each of two classes of solar cells, for one of five label seeds."""


@keras.saving.register_keras_serializable("ganlib")
class LinearProbe(SupervisedClassifier):
    """Fits the last layer of a `ganlib.Classifier` to features. There are no train steps: `fit` solves the problem.

    The weight of the L2 penalty is chosen by cross-fitting: of 13 values, the one with the best likelihood of labeled images
    that were left out of the fit, in five folds. scikit-learn's `LogisticRegression` fits the weights, to features that are
    divided by one number, so that their variance is 1 on average.

    Args:
        network: A `ganlib.Classifier` whose head is a dense layer, such as one on the body of a
            `ganlib.networks.feature_space.Discriminator` without hidden layers.

    Raises:
        UserError: If the head is not a dense layer.

    Attributes:
        classifier: The fitted classifier, a plain Keras model from images to class logits.
    """

    fits_at_once = True

    def __init__(self, network, **kwargs):
        super().__init__(network, **kwargs)
        dense_layer(self.network.head)  # raises the error for another head

    def compile(self, balanced=False, seed=0, max_iterations=1000):
        """Configures `fit`.

        Args:
            balanced: Whether each class gets the same total weight, whatever its number of images. Defaults to False.
            seed: An integer that determines the folds. Defaults to 0.
            max_iterations: The largest number of iterations of the solver. Defaults to 1000.

        Raises:
            UserError: If there are several workers.
        """
        if strategies.num_workers(self.distribute_strategy) > 1:
            raise UserError("a linear probe is fitted in one process: start a single worker")
        self.balanced, self.max_iterations = balanced, max_iterations
        self.configure({}, {"balanced": balanced, "max_iterations": max_iterations}, seed=seed)

    def get_compile_config(self):
        return {"balanced": self.balanced, "seed": self.seed, "max_iterations": self.max_iterations}

    def fit(self, x=None, y=None, steps_per_epoch=1, callbacks=None, **kwargs):
        """Fits the last layer to all labeled images at once.

        Args:
            x: ``(n, ...)`` features or images, as the network's body takes them, or a dataset of batches of ``(features,
                labels)``. Of a dataset that is endless or of unknown length, the first batch is used.
            y: ``(n,)`` integer labels of an array. Defaults to None.
            steps_per_epoch: The number by which ``step`` is increased. Defaults to 1.
            callbacks: A list of callbacks, which are called as for a single step. Defaults to None.
            **kwargs: ``epochs``, ``verbose``, ``batch_size`` and ``shuffle`` of Keras, which have no effect.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            UserError: If a class has no labeled image, labels are out of range, or there is another argument.
        """
        unknown = sorted(kwargs.keys() - {"epochs", "verbose", "batch_size", "shuffle"})
        if unknown:
            raise UserError(f"a linear probe is fitted at once, without {unknown[0]}: leave it out")
        inputs, labels = _all_of(x) if isinstance(x, tf.data.Dataset) else (x, y)
        input_checks.check_form((inputs, labels), self.form, self._missing_data_message())
        labels = np.asarray(labels)
        check_labels(labels, self.network.num_classes)
        callback_list = keras.callbacks.CallbackList(callbacks, add_history=True, model=self)
        callback_list.on_train_begin()
        callback_list.on_epoch_begin(0)
        rows = (inputs[start : start + BATCH] for start in range(0, len(labels), BATCH))
        features = np.concatenate([self.network.features(tf.convert_to_tensor(row)).numpy() for row in rows])
        features = features.astype(np.float32)
        logs = fit_head([self.network, self.classifier], features, labels, self.balanced, self.seed, self.max_iterations)
        self.step.assign_add(steps_per_epoch)
        self.reset_calibration()
        callback_list.on_train_batch_end(steps_per_epoch - 1, logs)
        callback_list.on_epoch_end(0, logs)
        callback_list.on_train_end(logs)
        return self.history


def _all_of(dataset):
    """Returns the inputs and the labels of a dataset of known length, or of the first batch of another one."""
    if dataset.cardinality() < 0:
        return next(iter(dataset))
    inputs, labels = zip(*dataset, strict=True)
    return tf.concat(inputs, axis=0), tf.concat(labels, axis=0)


def fit_head(networks, features, labels, balanced=False, seed=0, max_iterations=1000):
    """Fits the last layer of classifiers to features by a logistic regression: see `LinearProbe`.

    Args:
        networks: A list of `ganlib.Classifier`, whose last layers all get the same weights.
        features: ``(n, num_features)`` features of the labeled images, numpy.
        labels: ``(n,)`` integer labels.
        balanced: Whether each class gets the same total weight. Defaults to False.
        seed: An integer that determines the folds. Defaults to 0.
        max_iterations: The largest number of iterations of the solver. Defaults to 1000.

    Returns:
        A dict of the accuracy on the labeled images and the chosen C.

    Raises:
        UserError: If a class has no labeled image, or a last layer is not a dense layer.
    """
    from sklearn.linear_model import LogisticRegression

    layers, (classes, counts) = [dense_layer(network.head) for network in networks], np.unique(labels, return_counts=True)
    if len(classes) < networks[0].num_classes:
        raise UserError(f"{len(classes)} of {networks[0].num_classes} classes have labeled images: label some of each")
    center, scale = features.mean(axis=0), 1.0 / max(np.sqrt(features.var(axis=0).mean()), 1e-12)
    features = (features - center) * scale
    weights = "balanced" if balanced else None
    models = [LogisticRegression(C=c, max_iter=max_iterations, class_weight=weights) for c in STRENGTHS]
    with threadpool_limits(1):  # several threads would wait for each other most of the time
        best = _best(models, features, labels, min(FOLDS, counts.min()), seed)
        solved = best.fit(features, labels)
    accuracy = float(solved.score(features, labels))
    kernel, bias = scale * solved.coef_.T, solved.intercept_ - scale * (solved.coef_ @ center)
    if kernel.shape[1] == 1:  # scikit-learn has one logit for two classes
        kernel, bias = np.concatenate([-kernel, kernel], 1) / 2, np.concatenate([-bias, bias]) / 2
    for layer in layers:
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    return {"train_accuracy": accuracy, "inverse_l2": best.C}


def _best(models, features, labels, folds, seed):
    """Returns the model with the best likelihood of left-out labels, or that with `DEFAULT_STRENGTH` if none predicts them."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    default = min(models, key=lambda model: abs(np.log(model.C / DEFAULT_STRENGTH)))
    if folds < 2:
        return default
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    scores = [cross_val_score(model, features, labels, cv=splits, scoring="neg_log_loss").mean() for model in models]
    frequencies = np.bincount(labels) / len(labels)
    constant = np.sum(frequencies * np.log(np.maximum(frequencies, 1e-12)))
    if max(scores) < constant + MIN_GAIN:
        message = "the features do not predict labels that were left out of the fit: C=%g is used; label more images"
        logging.getLogger("ganlib").warning(message, default.C)
        return default
    return models[int(np.argmax(scores))]


def dense_layer(head):
    """Returns the dense layer of a classifier's head.

    Raises:
        UserError: If it has none.
    """
    layers = head.layers if isinstance(head, keras.Sequential) else [head]
    if not isinstance(layers[0], keras.layers.Dense):
        raise UserError(
            "a linear probe needs a classifier whose head is a dense layer: use networks='feature_space' with "
            "discriminator.widths=[]"
        )
    return layers[0]
