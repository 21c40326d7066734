"""`SupervisedClassifier`: the baseline classifier, trained on labeled images only."""

import keras
import numpy as np
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib import layers, metrics
from ganlib.errors import UserError
from ganlib.evaluation import classification, keras_data
from ganlib.losses import cross_entropy
from ganlib.models.evaluated import Evaluated
from ganlib.networks import pixels, wrapped
from ganlib.networks.base import rescale
from ganlib.training import averaging
from ganlib.training import strategy as strategies
from ganlib.training.distributed import DistributedModel, split_arguments


class WithClassifier:
    """Mixin for models that train a `ganlib.Classifier`, used together with `DistributedModel`.

    Attributes:
        network: The classifier in training.
        classifier: The moving average of ``network``, a plain Keras model from images to ``(n, num_classes)`` class logits. A
            train step resets its ``temperature`` to 1 and its `ganlib.layers.PriorShift`, if it has one, to 0, because the
            values set by `ganlib.runs.calibrate` fit only the weights that they were computed for.
        fits_at_once: True if `fit` takes all labeled images in one batch.
        uses_unlabeled: True if training batches are ``(labeled_images, labels, unlabeled_images)``, False if they are
            ``(images, labels)``.
        fresh_real_images: True if training batches end with further unlabeled images, for the update of a generator.
    """

    uses_unlabeled = True
    fresh_real_images = False
    fits_at_once = False

    @property
    def form(self):
        """The parts of a training batch, in the format of `ganlib.training.input_checks`."""
        shape = getattr(self.network.body, "training_shape", self.network.image_shape)  # that of features in a feature space
        images, labels = (shape, None), ((), self.network.num_classes)
        form = {"labeled images": images, "labels": labels, "unlabeled images": images}
        return form if self.uses_unlabeled else {"images": images, "labels": labels}

    def _missing_data_message(self):
        return f"this classifier is trained on batches of ({', '.join(self.form)}): pass all of these parts"

    def add_classifier(self, network):
        """Sets ``network``, which must have been created under the model's strategy, and creates its moving average.

        Args:
            network: A `ganlib.Classifier`, or a Keras model that `ganlib.networks.wrapped.classifier` accepts.

        Raises:
            UserError: If it is neither.
        """
        with self.distribute_strategy.scope():
            self.network = wrapped.classifier(network)
            strategies.check_created_in(self.distribute_strategy, self.network)
            self.classifier = averaging.clone_network(self.network)

    def _checked_class_weights(self, class_weights):
        """Returns the argument of ``compile`` as a list of floats, or None."""
        if class_weights is None:
            return None
        weights, num_classes = np.asarray(class_weights), self.network.num_classes
        if (
            weights.shape != (num_classes,)
            or weights.dtype.kind not in "iuf"
            or not np.all((weights >= 0) & (weights < np.inf))
        ):
            raise UserError(
                f"class_weights must be {num_classes} numbers of at least 0, one for each class, got {class_weights!r:.80}"
            )
        return weights.astype(float).tolist()

    def labeled_loss(self, labels, logits):
        """Computes the cross-entropy of labeled images, weighted by their classes.

        Args:
            labels: ``(n,)`` integers.
            logits: ``(n, num_classes)``.

        Returns:
            A scalar, the sum divided by ``n``.
        """
        return cross_entropy(labels, logits, self.class_weights)

    @property
    def averages(self):
        """Pairs of a moving average and the network that it tracks."""
        return [*super().averages, (self.classifier, self.network)]

    def end_step(self):
        """Ends a train step and resets the calibration, because the classifier's weights have changed."""
        super().end_step()
        self.reset_calibration()

    def reset_calibration(self):
        """Sets the temperature to 1 and the shift of the logits to 0."""
        self.classifier.temperature.assign(1.0)
        prior_shift = layers.prior_shift_of(self.classifier.head)
        if prior_shift:
            prior_shift.shift.assign(tf.zeros_like(prior_shift.shift))

    @property
    def evaluation_form(self):
        """The parts of a batch to evaluate on, in the format of `ganlib.training.input_checks`."""
        return {"images": (self.network.image_shape, None), "labels": ((), self.network.num_classes)}

    def results_on(self, source):
        """Returns the ``"loss"``, which is the cross-entropy, and the ``"accuracy"`` on a `ganlib.data.Source`, and further
        results of the model.
        """
        probabilities = classification.classify(self, source)
        likelihoods = probabilities[np.arange(len(source.labels)), source.labels].astype(np.float64)
        loss = -np.log(np.maximum(likelihoods, np.finfo(np.float32).tiny)).mean()
        results = {"loss": float(loss), "accuracy": float(metrics.accuracy(source.labels, probabilities))}
        return results | super().results_on(source)

    def prepare_evaluation(self, source):
        """Checks that a `ganlib.data.Source` has labels of the model's classes.

        Raises:
            UserError: If it has none, or others.
        """
        super().prepare_evaluation(source)
        if source.labels is None or source.num_classes != self.network.num_classes:
            raise UserError(
                f"a classifier of {self.network.num_classes} classes is evaluated on images with their labels, and "
                f"{source.name} has {source.num_classes or 'no'} classes: pass evaluate(images, labels)"
            )

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Computes class logits with the averaged classifier. For probabilities, use `classify`.

        Args:
            x: Images, as for `evaluate`; labels are ignored.
            batch_size: The number of images of an array in a forward pass. Defaults to None, which is 32.
            verbose: As in Keras. Defaults to ``"auto"``.
            steps: The number of batches to read from a dataset. Defaults to None, which reads all.
            callbacks: A list of callbacks. Defaults to None.

        Returns:
            ``(n, num_classes)`` float32 numpy array.

        Raises:
            UserError: If float images are outside ``[-1, 1]``, or the data has another format.
        """
        logits = []
        for images, _ in keras_data.batches(x, None, steps):
            pixels.check(images)
            logits.append(self.classifier.predict(images, batch_size, verbose, callbacks=callbacks))
        return np.concatenate(logits)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs):
        """Exports the averaged classifier as `keras.Model.export` does: ``serve`` maps images to class logits.

        Args:
            filepath: The folder or file to write.
            format: As in Keras. Defaults to ``"tf_saved_model"``.
            verbose: As in Keras. Defaults to None.
            input_signature: As in Keras. Defaults to None, which accepts any number of uint8 images.
            **kwargs: As in Keras.
        """
        if input_signature is None:
            input_signature = [tf.TensorSpec((None, *self.network.image_shape), tf.uint8, "images")]
        return self.classifier.export(filepath, format, verbose, input_signature, **kwargs)

    def classify(self, images, batch_size=None):
        """Maps images to ``(n, num_classes)`` float32 probabilities with the averaged classifier.

        Args:
            images: ``(n, height, width, channels)``, uint8 or float in ``[-1, 1]``.
            batch_size: The number of images in a forward pass: see `ganlib.Classifier.classify`. Defaults to None.
        """
        return self.classifier.classify(images, batch_size)


@keras.saving.register_keras_serializable("ganlib")
class SupervisedClassifier(WithClassifier, Evaluated, DistributedModel):
    """Trains a `ganlib.Classifier` with cross-entropy, with the same moving average as `SemiSupervisedGAN`.

    Args:
        network: A `ganlib.Classifier`, or a Keras model that `ganlib.networks.wrapped.classifier` accepts.

    Attributes:
        classifier: The moving average of ``network``, a plain Keras model from images to class logits.
    """

    parts = ("network",)
    uses_unlabeled = False
    logs_loss = True

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.add_classifier(network)

    @property
    def networks(self):
        return [self.network]

    def compile(
        self,
        optimizer=None,
        augment=None,
        class_weights=None,
        ema_decay=0.999,
        seed=0,
        accumulation_steps=1,
        non_finite="stop",
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Configures the training.

        Args:
            optimizer: A Keras optimizer, its name or its config. Defaults to None, which is Adam with a learning rate of 2e-4
                and ``beta_1=0.5``.
            augment: The augmentation of the images. Defaults to None, which applies none.
            class_weights: The factors of the loss of the labeled images of each class, a list of ``num_classes`` numbers.
                Defaults to None, which weights all images equally.
            ema_decay, seed, accumulation_steps, non_finite, jit_compile, steps_per_execution, run_eagerly: See
                `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: If there are not as many class weights as classes, or one of them is negative or not a number.
        """
        own, shared = split_arguments(locals())
        self.class_weights = own["class_weights"] = self._checked_class_weights(class_weights)
        self.augment = augmentations.get_fixed(augment)
        self.configure({"optimizer": (optimizer, self.network)}, own, **shared)

    def train_step(self, data):
        """Runs one train step on a batch, such as ``(images, labels)``, and returns the logs."""
        updates, rng = [(self.network, self.optimizer)], self.random_stream()
        gradients, logs = self.compute_gradients(self.classifier_loss, updates, data, rng)
        self.apply_gradients(updates, gradients)
        logs |= self.update_augmentation(data, rng)
        self.end_step()
        return logs

    def update_augmentation(self, data, rng):
        """Does nothing: the augmentation of this model does not learn.

        Args:
            data: The batch of this step.
            rng: A `ganlib.training.RandomStream`.

        Returns:
            A dict of scalars for the logs, which is empty.
        """
        return {}

    def classifier_loss(self, images, labels, rng):
        """Computes the cross-entropy of a batch of augmented images.

        Args:
            images: ``(n, height, width, channels)`` images, as in `fit`.
            labels: ``(n,)`` integers.
            rng: A `ganlib.training.RandomStream` for the augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        logits = self.network(self.augment(rescale(images), rng), training=True)
        loss = self.labeled_loss(labels, logits)
        return loss, {"loss": loss, "train_accuracy": accuracy(labels, logits)}

    def call(self, images, training=False):
        """Maps images to ``(n, num_classes)`` logits of the averaged classifier."""
        return self.classifier(images, training=training)


def accuracy(labels, logits):
    """Computes the fraction of the batch whose largest logit is that of the label, a scalar in [0, 1]."""
    correct = tf.argmax(logits, axis=-1) == tf.cast(labels, tf.int64)
    return tf.reduce_mean(tf.cast(correct, tf.float32))
