"""`evaluate`, `predict`, `export` and validation in `fit` for all models, as in Keras."""

import keras
import numpy as np

from ganlib.errors import UserError
from ganlib.evaluation import keras_data


class Evaluated:
    """A mixin for models, which define ``results_on`` and ``evaluation_form``."""

    _validation = None
    """The data of ``validation_data``, read once for all epochs of `fit`."""

    def results_on(self, source):
        """Returns the results on a `ganlib.data.Source`, a dict of floats. Models add theirs."""
        return {}

    def prepare_evaluation(self, source):
        """Raises a `UserError` if the model cannot be evaluated on a `ganlib.data.Source`, before the training."""

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """Evaluates the averaged networks.

        A generator is evaluated by the metrics of ``compile``, against the images in ``x``. A classifier gives the ``"loss"``,
        the cross-entropy, and the ``"accuracy"`` on the labels. All images are held in memory as uint8.

        Args:
            x: ``(n, height, width, channels)`` images, uint8 or float in ``[-1, 1]``; or batches of ``images`` or
                ``(images, labels)`` as a `tf.data.Dataset` or a `keras.utils.PyDataset`; or a `ganlib.data.Source`.
            y: ``(n,)`` integer labels of an array of images. Defaults to None.
            batch_size: Not used.
            verbose: Not used.
            sample_weight: Not supported. Defaults to None.
            steps: The number of batches to read from a dataset. Defaults to None, which reads all.
            callbacks: A list of callbacks, of which ``on_test_begin`` and ``on_test_end`` are called. Defaults to None.
            return_dict: Whether to return a dict from names to floats. Otherwise a list of the floats in the order of their
                names in that dict is returned, or the float if there is only one. Defaults to False.
            **kwargs: For Keras.

        Returns:
            The results; see ``return_dict``.

        Raises:
            UserError: If the data does not fit the model, or there is nothing to compute.
        """
        is_validation = kwargs.pop("_use_cached_eval_dataset", False)
        if kwargs:
            raise UserError(f"evaluate has no argument {next(iter(kwargs))!r}: remove it")
        if sample_weight is not None:
            raise UserError("evaluate does not support sample_weight: leave it out")
        source = self._validation if is_validation else self.evaluation_source(x, y, steps)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList(callbacks, model=self)
        callbacks.on_test_begin()
        results = self.results_on(source)
        callbacks.on_test_end(results)
        values = list(results.values())
        return results if return_dict else values if len(values) > 1 else values[0]

    def evaluation_source(self, x, y=None, steps=None):
        """Returns the data of `evaluate` as a `ganlib.data.Source`.

        Args:
            x: As for `evaluate`.
            y: As for `evaluate`. Defaults to None.
            steps: As for `evaluate`. Defaults to None.

        Raises:
            UserError: If the data does not fit the model, or there is nothing to compute.
        """
        source = keras_data.source_of(x, y, steps, self.evaluation_form)
        if source.image_shape != self.evaluation_form["images"][0]:
            shape = self.evaluation_form["images"][0]
            raise UserError(f"{source.name} has images of {source.image_shape}, but the model has {shape}: make them equal")
        self.prepare_evaluation(source)
        return source

    def begin_validation(self, x, y, data, split, steps):
        """Reads the validation data of `fit`: see `ganlib.training.DistributedModel.begin_validation`.

        Raises:
            UserError: As in `evaluate`.
        """
        self._validation = None
        if data is None and split:
            x, y, data = keras_data.split(x, y, split)
        if data is None:
            return x, y, None
        parts = data if isinstance(data, (tuple, list)) else (data,)
        if len(parts) > 2:
            raise UserError(f"validation_data must be (images, labels) or a dataset, got {len(parts)} parts: remove the others")
        self._validation = self.evaluation_source(*parts, *[None] * (2 - len(parts)), steps)
        # Keras distributes the data that it is given, but `evaluate` uses the source.
        return x, y, np.zeros((1, *self.evaluation_form["images"][0]), np.uint8)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluates a classifier on a batch: see `evaluate`.

        Args:
            x: ``(n, height, width, channels)`` images.
            y: ``(n,)`` integers. Defaults to None.
            sample_weight: Not supported. Defaults to None.
            return_dict: As in `evaluate`. Defaults to False.

        Raises:
            UserError: If the model has no classifier: the metrics of a generator need many images.
        """
        if not hasattr(self, "classifier"):
            raise UserError("the metrics of a GAN need more images than a batch: use evaluate(images)")
        return self.evaluate(x, y, sample_weight=sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x):
        """Computes `predict` for one batch ``x``, ``(n, ...)``."""
        return self.predict(x)
