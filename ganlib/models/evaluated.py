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

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        validation_steps=None,
        **kwargs,
    ):
        """Trains the model as `ganlib.training.DistributedModel.fit` does, and evaluates it after each epoch.

        Args:
            x: As in `ganlib.training.DistributedModel.fit`.
            y: ``(n,)`` integer labels of an array of images. Defaults to None.
            batch_size: The number of images in a batch, for arrays. Defaults to None, which is 32.
            epochs: The number of epochs. Defaults to 1.
            verbose: As in Keras. Defaults to ``"auto"``.
            callbacks: A list of Keras's callbacks, or those of `ganlib.training.callbacks`. Defaults to None.
            validation_split: The fraction of arrays, from their end, to evaluate on instead of training on it. Defaults to 0.0.
            validation_data: A tuple ``(x, y)``, or ``x`` alone, for `evaluate`. Its results are in the logs with the prefix
                ``val_``, such as ``val_kid``. The data is read once. Defaults to None.
            validation_steps: The number of batches of a validation dataset. Defaults to None, which uses all.
            **kwargs: As in Keras: ``shuffle``, ``initial_epoch``, ``steps_per_epoch`` and ``validation_freq``.

        Raises:
            UserError: As in `evaluate` and in `ganlib.training.DistributedModel.fit`.
        """
        if validation_data is None and validation_split:
            x, y, validation_data = keras_data.split(x, y, validation_split)
        if validation_data is not None:
            parts = validation_data if isinstance(validation_data, (tuple, list)) else (validation_data,)
            if len(parts) > 2:
                raise UserError(f"validation_data must be (images, labels) or a dataset, got {len(parts)} parts")
            self._validation = self.evaluation_source(*parts, *[None] * (2 - len(parts)), validation_steps)
            # Keras distributes the data that it is given, but `evaluate` uses the source.
            kwargs["validation_data"] = np.zeros((1, *self.evaluation_form["images"][0]), np.uint8)
        try:
            return super().fit(x, y, batch_size=batch_size, epochs=epochs, verbose=verbose, callbacks=callbacks, **kwargs)
        finally:
            self._validation = None

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
