"""`DistributedModel`, a Keras model whose `fit` runs a custom train step under any `tf.distribute` strategy."""

import numbers
import types

import keras
import tensorflow as tf

from ganlib.data import user_errors
from ganlib.errors import UserError, choose, integer
from ganlib.seeds import Purpose, check_seed, derive
from ganlib.training import averaging, draws, gradients, input_checks, keras_callbacks, precision, train_function
from ganlib.training import optimizers as optimizer_objects
from ganlib.training.random_stream import RandomStream
from ganlib.training.saving import SavedWithTraining

SHARED = (
    "ema_decay", "seed", "accumulation_steps", "non_finite", "jit_compile", "steps_per_execution", "run_eagerly"
)  # fmt: skip
"""The names of the arguments of ``compile`` that all models have."""


def split_arguments(arguments):
    """Splits the arguments of a model's ``compile`` into its own ones and those of `DistributedModel.configure`.

    Args:
        arguments: ``locals()`` at the beginning of ``compile``. ``self`` and the optimizers are left out.

    Returns:
        Two dicts.
    """
    own = {name: value for name, value in arguments.items() if not (name.endswith(("self", "optimizer")) or name in SHARED)}
    return own, {name: arguments[name] for name in SHARED}


class DistributedModel(SavedWithTraining, keras.Model):
    """The base class of `GAN` and the classifiers: `fit` under a strategy, the step counter, random numbers, loss scaling.

    It works around two behaviors of Keras (tested with 3.15 on TensorFlow 2.21):

    - Under a strategy, `fit` first calls the model on a batch of data, which is not a valid input of a GAN's `call`
      (keras-team/keras#20164). The networks of ganlib are built in their constructors, so this call is skipped.
    - Keras's train function fails with several workers (keras-team/keras#20585) and reports the logs of the first replica.
      `make_train_function` runs the step on every replica and averages the logs.

    A subclass defines ``networks``, ``averages`` and ``train_step(data)``. The train step draws its random numbers from
    `random_stream`, ends with `end_step` and returns a dict of scalars.

    ``model.save("model.keras")`` saves the complete training state. After `keras.saving.load_model`, training continues
    bit-exactly.

    Attributes:
        parts: The names of the constructor's arguments, which are also attributes.
        step: An int64 variable, the number of train steps so far.
        seed: The integer that all random numbers of the training derive from.
        logs_loss: Whether the logs of a step have a ``"loss"``.
        batch_parts: The number of parts into which a train step splits the batch of a replica.
    """

    logs_loss = False
    batch_parts = 1

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.step = self.add_weight(name="step", shape=(), dtype="int64", initializer="zeros", trainable=False)
        self.seed = 0
        self._optimizer_names = []
        self._check_images, self._trains_on_dataset = True, False
        self.built = True

    @property
    def networks(self):
        """The list of networks in training, each once."""
        return []

    @property
    def averages(self):
        """Pairs of a moving average and the network that it tracks."""
        return []

    @property
    def states(self):
        """Layers other than the networks whose variables are updated by a forward pass, such as
        `ganlib.training.state.State`."""
        return []

    @property
    def form(self):
        """The parts of a training batch, in the format of `ganlib.training.input_checks`."""
        return {}

    def random_stream(self):
        """Returns the random stream of this step, whose numbers are the same for any number of replicas.

        Random layers of the networks, such as dropout, also get their seeds of this step here, so that a resumed run uses
        the same masks. These seeds differ between replicas.
        """
        context = tf.distribute.get_replica_context()
        replica, step = context.replica_id_in_sync_group, self.step.value
        draws.seed(self.networks, derive(self.seed, Purpose.LAYERS, step, replica))
        return RandomStream(self.seed, step, replica, context.num_replicas_in_sync, Purpose.TRAINING)

    def end_step(self):
        """Ends a train step: synchronizes batch statistics, updates the moving averages, and counts the step."""
        self._sync_batch_statistics()
        for average, network in self.averages:
            averaging.update(average, network, self.ema_decay, self.step.value)
        self.step.assign_add(1)

    def _sync_batch_statistics(self):
        """Averages the networks' non-trainable variables over replicas.

        These are, for example, the running statistics of batch normalization without synchronization. Otherwise replicas would
        generate and classify differently.
        """
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return
        statistics = self._unfrozen(v for network in self.networks for v in network.non_trainable_variables)
        if statistics:
            means = context.all_reduce("MEAN", [tf.identity(v.value) for v in statistics])
            gradients.assign(statistics, means)

    def _batch_statistics(self):
        """Returns the variables that a forward pass updates: batch statistics, singular vectors, averages of penalties."""
        return self._unfrozen(v for layer in (*self.networks, *self.states) for v in layer.non_trainable_variables)

    def _unfrozen(self, variables):
        """Returns the floating-point variables in ``variables`` that do not belong to frozen layers."""
        frozen = {id(v) for network in self.networks for layer in getattr(network, "frozen", ()) for v in layer.variables}
        return [v for v in variables if v.value.dtype.is_floating and id(v) not in frozen]

    def configure(
        self,
        optimizers,
        arguments,
        ema_decay=0.999,
        seed=0,
        accumulation_steps=1,
        non_finite="stop",
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Configures the training; the part of ``compile`` that all subclasses share.

        Args:
            optimizers: A dict from attribute names to ``(optimizer, network)``, where the optimizer updates the network and is
                anything that `ganlib.training.optimizers.get` accepts. Each optimizer becomes an attribute and is built. It is
                wrapped in loss scaling if its network computes in float16. The dict is empty for a model without train steps.
            arguments: A dict with the subclass's arguments of ``compile`` by name, to be saved with the model.
            ema_decay: The decay of the moving averages, in ``[0, 1)``, or a `ganlib.training.schedules` schedule. Defaults to
                0.999.
            seed: An integer. All random numbers of the training depend only on (seed, step). Defaults to 0.
            accumulation_steps: The number of micro-batches that a batch is split into to save memory. Variables that a forward
                pass updates, such as batch statistics, are updated once per step, with the mean of the micro-batches. Defaults
                to 1.
            non_finite: ``"stop"`` applies non-finite gradients and leaves the handling to
                `ganlib.training.callbacks.StopAtNonFinite`. ``"skip"`` skips updates with non-finite gradients, and restores
                moving averages and batch statistics that became non-finite. Defaults to ``"stop"``.
            jit_compile: Whether to compile the train step with XLA. ``"auto"`` does so on a single GPU only: on CPU XLA was
                slower for convolutions, and it cannot compile the collectives between replicas. Defaults to ``"auto"``.
            steps_per_execution: The number of train steps per call from Python. Defaults to 1.
            run_eagerly: Whether to run the step without a graph, for debugging. Defaults to False.

        Raises:
            UserError: If ``ema_decay``, the seed or a number of steps is out of range, ``non_finite`` is unknown, an optimizer
                is not a Keras optimizer, or `ganlib.training.optimizers.check` rejects the optimizers.
        """
        if not callable(ema_decay) and not (isinstance(ema_decay, numbers.Real) and 0 <= ema_decay < 1):
            raise UserError(f"ema_decay must be in [0, 1), got {ema_decay}")
        accumulation_steps = integer("accumulation_steps", accumulation_steps, 1)
        steps_per_execution = integer("steps_per_execution", steps_per_execution, 1)
        seed = check_seed(seed)
        optimizers = {
            name: (optimizer_objects.get(name, optimizer), network) for name, (optimizer, network) in optimizers.items()
        }
        optimizer_objects.check(optimizers)
        self._skips = choose("non_finite", non_finite, {"stop": False, "skip": True})
        self._arguments = arguments | {
            "ema_decay": ema_decay,
            "seed": seed,
            "accumulation_steps": accumulation_steps,
            "non_finite": non_finite,
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
            "run_eagerly": run_eagerly,
        }
        self._optimizer_names = list(optimizers)
        self.seed, self.ema_decay, self.accumulation_steps = seed, ema_decay, accumulation_steps
        if jit_compile == "auto":
            one_gpu = self.distribute_strategy.num_replicas_in_sync == 1 and tf.config.list_physical_devices("GPU")
            jit_compile = bool(one_gpu) and not run_eagerly
        with self.distribute_strategy.scope():
            for name, (optimizer, network) in optimizers.items():
                optimizer = precision.optimizer_for(network, optimizer, self._skips)
                optimizer.build(network.trainable_variables)
                setattr(self, name, optimizer)
        super().compile(
            optimizer=getattr(self, self._optimizer_names[0]) if optimizers else None,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )
        self._updates = [(getattr(self, name), network) for name, (_, network) in optimizers.items()]
        if len(optimizers) > 1:
            self.optimizer = optimizer_objects.Optimizers({name: getattr(self, name) for name in optimizers})

    @property
    def optimizers(self):
        """The list of optimizers that were passed to `configure`."""
        return [getattr(self, name) for name in self._optimizer_names]

    def compute_gradients(self, loss_fn, updates, batch, rng, regularized=True):
        """Computes the gradients of losses, averaged over ``accumulation_steps`` micro-batches.

        If a loss is a mean over examples, the average equals the gradient of the whole batch, but needs a fraction of the
        memory. Each micro-batch starts from the same batch statistics. The final batch statistics are the mean of those after
        each micro-batch.

        Args:
            loss_fn: A function ``loss_fn(*batch, rng) -> (losses, logs)``. ``losses`` is a scalar, or a list with a scalar for
                each update, and ``logs`` is a dict of scalars.
            updates: A list of pairs of a network and its optimizer.
            batch: A tuple whose entries are tensors with a row for each example, or None.
            rng: A `ganlib.training.RandomStream`.
            regularized: Whether to add the regularizers of a network's weights, such as ``kernel_regularizer`` of its layers,
                to its loss. The logs do not have them. Defaults to True.

        Returns:
            A tuple of a list with the gradients of each update, for `apply_gradients`, and the logs.

        Raises:
            UserError: If the batch cannot be split into micro-batches of equal size.
        """
        count = self.accumulation_steps
        gradients.check_micro_batches(batch, count)
        statistics = self._batch_statistics() if count > 1 else []
        initial, sums, rows, stream = [tf.identity(v.value) for v in statistics], [], batch, rng
        for index in range(count):
            if count > 1:
                rows, stream = gradients.micro_batch(batch, rng, index, count, after=sums)
            with tf.GradientTape(persistent=len(updates) > 1) as tape:
                losses, logs = loss_fn(*rows, stream)
                losses = tf.nest.flatten(losses)
                if regularized:
                    losses = [loss + gradients.regularization(pair[0]) for loss, pair in zip(losses, updates, strict=True)]
                objectives = [gradients.objective(*pair) for pair in zip(losses, updates, strict=True)]
            computed = [gradients.dense_gradients(tape, *pair) for pair in zip(objectives, updates, strict=True)]
            if count == 1:
                return computed, logs
            results = computed, logs, [tf.identity(v.value) for v in statistics]
            gradients.assign(statistics, initial)
            sums = gradients.added(sums, tf.nest.flatten(results))
        rng.advance_to(stream)
        means = [value if value is None else value / count for value in sums]
        computed, logs, final = tf.nest.pack_sequence_as(results, means)
        gradients.assign(statistics, final)
        return computed, logs

    def apply_gradients(self, updates, computed):
        """Updates each network with its optimizer and the gradients from `compute_gradients`."""
        for (network, optimizer), values in zip(updates, computed, strict=True):
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                values = gradients.all_or_none_finite(values)
            optimizer.apply(values, network.trainable_variables)

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
        """Trains the model as `keras.Model.fit` does, and checks the data and the callbacks.

        Images are uint8 in ``[0, 255]`` or floats in ``[-1, 1]``, and labels are integers from 0. The values of arrays are
        checked before training, and those of datasets batch by batch. Float images with all values in ``[0, 1]`` cause a
        warning.

        Args:
            x: ``(n, height, width, channels)`` images, or batches as a `tf.data.Dataset`, a `keras.utils.PyDataset` or a Python
                generator. A batch is ``images``, ``(images, labels)`` or what the model's class describes.
            y: ``(n,)`` integer labels of an array of images. Defaults to None.
            batch_size: The number of images in a batch, for arrays. Defaults to None, which is 32.
            epochs: The number of epochs. Defaults to 1.
            verbose: As in Keras. Defaults to ``"auto"``.
            callbacks: A list of Keras's callbacks, or those of `ganlib.training.callbacks`. Defaults to None.
            validation_split: The fraction of arrays, from their end, to evaluate on instead of training on it. Defaults to 0.0.
            validation_data: A tuple ``(x, y)``, or ``x`` alone, for `evaluate` after each epoch. Its results are in the logs
                with the prefix ``val_``, such as ``val_kid``. The data is read once. Defaults to None.
            validation_steps: The number of batches of a validation dataset. Defaults to None, which uses all.
            **kwargs: As in Keras: ``shuffle``, ``initial_epoch``, ``steps_per_epoch`` and ``validation_freq``.

        Raises:
            UserError: If images have other values or another shape, labels are out of range, a dataset never ends and
                ``steps_per_epoch`` is missing, or a callback would have no effect. A `UserError` raised in the step or the data
                pipeline is raised unchanged, although TensorFlow wraps it in another error.
        """
        input_checks.check_options(x, kwargs)
        keras_callbacks.check(callbacks, self.logs_loss)
        self._trains_on_dataset = isinstance(x, tf.data.Dataset)
        self._check_images = not input_checks.check_arrays(x, y, self.form, self._missing_data_message())
        x, y, validation_data = self.begin_validation(x, y, validation_data, validation_split, validation_steps)
        if isinstance(x, types.GeneratorType):
            x = (input_checks.parts_of(batch) for batch in x)  # Keras accepts only tuples
        if isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset | types.GeneratorType):
            kwargs.setdefault("shuffle", False)  # Keras warns about its default, True
        with user_errors.unwrapped():
            history = super().fit(x, y, batch_size, epochs, verbose, callbacks, validation_data=validation_data, **kwargs)
        if len(self.optimizers) > 1:  # Keras does so for a single optimizer, such as one with use_ema=True
            for optimizer, network in self._updates:
                optimizer.finalize_variable_values(network.trainable_variables)
        return history

    def begin_validation(self, x, y, data, split, steps):
        """Prepares the validation of `fit`.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            data: ``validation_data`` of `fit`.
            split: ``validation_split`` of `fit`.
            steps: ``validation_steps`` of `fit`.

        Returns:
            A tuple of the images and the labels to train on, and the validation data for Keras, or None for no validation.

        Raises:
            UserError: If the model has no validation.
        """
        if data is not None or split:
            raise UserError("this model has no validation: leave out validation_data and validation_split")
        return x, y, None

    def train_on_batch(self, *args, **kwargs):
        """Trains on a batch as `keras.Model.train_on_batch` does, with images and labels as in `fit`.

        Raises:
            UserError: As in `fit`.
        """
        with user_errors.unwrapped():
            return super().train_on_batch(*args, **kwargs)

    def make_train_function(self, force=False):
        """Creates ``train_function(iterator) -> logs``, which runs ``steps_per_execution`` steps and averages their logs."""
        if self.train_function is None or force:
            self.train_function = train_function.create(self, self._skipping_step if self._skips else self.train_step)

    def _missing_data_message(self):
        return f"train it on batches of ({', '.join(self.form)})"

    def _skipping_step(self, data):
        """Runs `train_step`, and restores averages and batch statistics that became non-finite."""
        variables = self._unfrozen(self.non_trainable_variables)
        previous = [tf.identity(v.value) for v in variables]
        logs = self.train_step(data)
        for variable, value in zip(variables, previous, strict=True):
            variable.assign(tf.where(tf.reduce_all(tf.math.is_finite(variable.value)), variable.value, value))
        return logs

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing, because the networks are already built; see the class's docstring."""
