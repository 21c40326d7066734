"""A Keras model whose `fit` runs a custom train step under every `tf.distribute` strategy."""

import contextlib
import math
import numbers
import re

import keras
import tensorflow as tf

from ganlib.errors import UserError, choose, integer
from ganlib.networks import pixels
from ganlib.seeds import ALGORITHM, Purpose, check_seed, derive
from ganlib.training import averaging, gradients, input_checks, precision
from ganlib.training.random_stream import RandomStream


class DistributedModel(keras.Model):
    """What `GAN` and the classifiers share: `fit` under a strategy, the step counter, randomness, loss scaling.

    It works around two behaviors of Keras (tried with 3.15 on TensorFlow 2.21):

    - Under a strategy `fit` first calls the model on a batch of data, which a GAN's `call` cannot take
      (keras-team/keras#20164). The networks here are built in their constructors, so nothing is left to build.
    - Keras's own train function fails on several workers (keras-team/keras#20585) and reports the first replica's
      logs. `make_train_function` here runs the step on every replica and averages the logs.

    A subclass defines ``networks`` and ``averages``, and ``train_step(data)``, which takes its random numbers from
    `random_stream`, ends with `end_step` and returns a dict of scalars.

    It is saved whole by ``model.save("model.keras")`` and continues bit for bit after `keras.saving.load_model`.

    Attributes:
        parts: the names of the constructor's arguments, which are attributes too.
        step: an int64 variable, the number of train steps made.
        seed: the integer from which the training's randomness derives.
    """

    parts = ()

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.step = self.add_weight(name="step", shape=(), dtype="int64", initializer="zeros", trainable=False)
        self.seed = 0
        self._optimizer_names = []
        self._check_images = True
        self.built = True

    @property
    def networks(self):
        """The networks in training, each once."""
        return []

    @property
    def averages(self):
        """Pairs of a moving average and the network that it follows."""
        return []

    @property
    def states(self):
        """What is kept between steps beside the networks, and moved by passes through them: layers, such as
        `ganlib.training.state.State`."""
        return []

    @property
    def form(self):
        """What a batch of training data is made of, as in `ganlib.training.input_checks`."""
        return {}

    def random_stream(self):
        """This step's random numbers, the same for any number of replicas.

        The random layers of the networks, such as dropout, are given this step's seeds too, so that a resumed run
        makes the same masks. They differ between replicas.
        """
        context = tf.distribute.get_replica_context()
        replica, step = context.replica_id_in_sync_group, self.step.value
        states = [v for network in self.networks for v in network.variables if v.name == "seed_generator_state"]
        if states:
            seed = derive(self.seed, Purpose.LAYERS, step, replica)
            numbers = tf.random.stateless_uniform((len(states), 2), seed, 0, 2**31 - 1, tf.int32, alg=ALGORITHM)
            for index, state in enumerate(states):
                state.assign(tf.cast(numbers[index], state.value.dtype))
        return RandomStream(self.seed, step, replica, context.num_replicas_in_sync, Purpose.TRAINING)

    def end_step(self):
        """Ends a train step: replicas agree, averages follow their networks, and the step is counted."""
        self._sync_batch_statistics()
        for average, network in self.averages:
            averaging.update(average, network, self.ema_decay, self.step.value)
        self.step.assign_add(1)

    def _sync_batch_statistics(self):
        """Gives all replicas the mean of what each one's batch left in the networks, such as the running statistics of
        batch normalization that is not synchronized: they would generate and classify differently otherwise."""
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return
        statistics = self._unfrozen(v for network in self.networks for v in network.non_trainable_variables)
        if statistics:
            means = context.all_reduce("MEAN", [tf.identity(v.value) for v in statistics])
            gradients.assign(statistics, means)

    def _batch_statistics(self):
        """What a pass through the networks moves besides weights: batch statistics, singular vectors, averages of penalties."""
        return self._unfrozen(v for layer in (*self.networks, *self.states) for v in layer.non_trainable_variables)

    def _unfrozen(self, variables):
        """Those of ``variables`` that are floating point and that a step may change."""
        frozen = {id(v) for network in self.networks for layer in getattr(network, "frozen", ()) for v in layer.variables}
        return [v for v in variables if v.value.dtype.is_floating and id(v) not in frozen]

    def configure(self, optimizers, arguments, ema_decay=0.999, seed=0, accumulation_steps=1, non_finite="stop",
                  jit_compile="auto", steps_per_execution=1, run_eagerly=False):  # fmt: skip
        """The part of ``compile`` that every subclass shares.

        Args:
            optimizers: attribute name -> (optimizer, the network that it updates). Each becomes an attribute, with
                loss scaling around it where the network computes in float16, and its state is made.
            arguments: the subclass's own arguments of ``compile`` by name, to be saved with the model.
            ema_decay: the decay of the moving averages, in ``[0, 1)``, or a `ganlib.training.schedules` of it.
            seed: an integer; all that is random in training follows from (seed, step).
            accumulation_steps: parts of a batch that go through the networks one after the other, to save memory. What they
                move besides weights, such as batch statistics, moves once a step, by the mean of what the parts would do.
            non_finite: ``"stop"`` leaves gradients that are not finite to `ganlib.training.callbacks.StopAtNonFinite`;
                ``"skip"`` makes no update by them, and takes no average or batch statistic that is not finite.
            jit_compile: compile the step with XLA. "auto" does on one GPU only: on CPU XLA was slower for convolutions, and
                it cannot compile the exchange of gradients between replicas.
            steps_per_execution: train steps for each call from Python.
            run_eagerly: run the step without a graph, to debug it.

        Raises:
            UserError: for an ``ema_decay``, a seed or steps out of range, an unknown ``non_finite``, and what are no
                optimizers, or one for two networks.
        """
        if not callable(ema_decay) and not (isinstance(ema_decay, numbers.Real) and 0 <= ema_decay < 1):
            raise UserError(f"ema_decay must be in [0, 1), got {ema_decay}")
        accumulation_steps = integer("accumulation_steps", accumulation_steps, 1)
        steps_per_execution = integer("steps_per_execution", steps_per_execution, 1)
        seed = check_seed(seed)
        optimizers = {name: (precision.optimizer_of(name, given), network) for name, (given, network) in optimizers.items()}
        if len({id(optimizer) for optimizer, _ in optimizers.values()}) < len(optimizers):
            raise UserError(f"{' and '.join(optimizers)} are one optimizer, which keeps its state for one network: make two")
        self._skips = choose("non_finite", non_finite, {"stop": False, "skip": True})
        self._arguments = arguments | {
            "ema_decay": ema_decay, "seed": seed, "accumulation_steps": accumulation_steps, "non_finite": non_finite,
            "jit_compile": jit_compile, "steps_per_execution": steps_per_execution, "run_eagerly": run_eagerly,
        }  # fmt: skip
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
            optimizer=getattr(self, self._optimizer_names[0]),
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )

    @property
    def optimizers(self):
        """The optimizers that `configure` was given."""
        return [getattr(self, name) for name in self._optimizer_names]

    def get_config(self):
        parts = {name: getattr(self, name) for name in self.parts}
        saved = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **saved, "frozen": {name: _frozen(part) for name, part in parts.items()}}

    @classmethod
    def from_config(cls, config):
        parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in cls.parts}
        others = dict(config)
        for name, frozen in others.pop("frozen", {}).items():  # ganlib did not write it once
            for number in frozen:
                _layers(parts[name])[number].trainable = False
        return cls(**{**others, **parts})

    def get_compile_config(self):
        if not self._optimizer_names:  # it was not compiled
            return None
        arguments = {**{name: getattr(self, name) for name in self._optimizer_names}, **self._arguments}
        return {name: keras.saving.serialize_keras_object(value) for name, value in arguments.items()}

    def compile_from_config(self, config):
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def compute_gradients(self, loss_fn, updates, batch, rng):
        """The gradients of a step's losses, computed on ``accumulation_steps`` micro-batches and averaged.

        Where a loss is a mean over examples, the average is the gradient of the whole batch, in a fraction of the memory. Each
        micro-batch starts from the same batch statistics; in the end these are the mean of what the micro-batches left.

        Args:
            loss_fn: ``loss_fn(*batch, rng) -> (losses, logs)``: a scalar, or a list with one for each update, and a dict of
                scalars.
            updates: pairs of a network and its optimizer.
            batch: a tuple of tensors with a row for each example, or None.
            rng: a `ganlib.training.RandomStream`.

        Returns:
            A list of gradients for each update, for `apply_gradients`, and the logs.

        Raises:
            UserError: if the micro-batches are not of one size.
        """
        count = self.accumulation_steps
        gradients.check_micro_batches(batch, count)
        statistics = self._batch_statistics() if count > 1 else []
        before, sums, rows, stream = [tf.identity(v.value) for v in statistics], [], batch, rng
        for index in range(count):
            if count > 1:
                rows, stream = gradients.micro_batch(batch, rng, index, count, after=sums)
            with tf.GradientTape(persistent=len(updates) > 1) as tape:
                losses, logs = loss_fn(*rows, stream)
                objectives = [gradients.objective(*pair) for pair in zip(tf.nest.flatten(losses), updates, strict=True)]
            computed = [gradients.dense_gradients(tape, *pair) for pair in zip(objectives, updates, strict=True)]
            if count == 1:
                return computed, logs
            results = computed, logs, [tf.identity(v.value) for v in statistics]
            gradients.assign(statistics, before)
            sums = gradients.added(sums, tf.nest.flatten(results))
        rng.advance_to(stream)
        means = [value if value is None else value / count for value in sums]
        computed, logs, after = tf.nest.pack_sequence_as(results, means)
        gradients.assign(statistics, after)
        return computed, logs

    def apply_gradients(self, updates, computed):
        """Updates each network by its optimizer with the gradients of `compute_gradients`."""
        for (network, optimizer), values in zip(updates, computed, strict=True):
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                values = gradients.all_or_none_finite(values)
            optimizer.apply(values, network.trainable_variables)

    def fit(self, x=None, *args, **kwargs):
        """`keras.Model.fit`, which warns of its own default, ``shuffle=True``, when it is given a `tf.data.Dataset`.

        Images are uint8 in ``[0, 255]`` or floats in ``[-1, 1]``, labels integers from 0. Arrays are checked whole, of
        datasets the first batch, before they are trained on. Where floats are all from 0 to 1 there is a warning.

        Raises:
            UserError: for images with other values or of another shape, and labels that are none of the classes; also where
                TensorFlow has wrapped one, from inside the step or the pipeline, in an error of its own.
        """
        input_checks.check_options(kwargs)
        labels = args[0] if args else kwargs.get("y")
        self._check_images = not input_checks.check_arrays(x, labels, self.form, self._missing_part())
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)
        with _user_errors():
            return super().fit(x, *args, **kwargs)

    def train_on_batch(self, *args, **kwargs):
        """`keras.Model.train_on_batch`, with images as in `fit`.

        Raises:
            UserError: as `fit`.
        """
        with _user_errors():
            return super().train_on_batch(*args, **kwargs)

    def make_train_function(self, force=False):
        """Sets ``train_function(iterator) -> logs``: ``steps_per_execution`` steps, logs averaged over all of them."""
        if self.train_function is not None and not force:
            return
        strategy, steps = self.distribute_strategy, self.steps_per_execution
        yes, no = tf.constant(True), tf.constant(False)
        train_step = self._skipping_step if self._skips else self.train_step
        if self.jit_compile:
            train_step = tf.function(train_step, jit_compile=True, autograph=False)

        @tf.autograph.experimental.do_not_convert  # as in Keras: tracing is far faster, errors stay as they are
        def one_step(iterator, check):
            """A train step on every replica; the logs are their means."""
            data = next(iterator) if isinstance(iterator, tf.data.Iterator | tf.distribute.DistributedIterator) else iterator
            data = strategy.run(self._checked, args=(data, check))
            logs = strategy.run(train_step, args=(data,))
            stacked = strategy.run(lambda values: tf.stack(tf.nest.flatten(values)), args=(logs,))  # to reduce all at once
            means = strategy.reduce("MEAN", stacked, axis=None)
            return tf.nest.pack_sequence_as(logs, tf.unstack(means, num=len(logs)))

        def several_steps(iterator, check):
            logs = one_step(iterator, check)
            for _ in tf.range(steps - 1):
                more = one_step(iterator, no)
                logs = {name: logs[name] + more[name] for name in logs}
            return {name: value / steps for name, value in logs.items()}

        execute = one_step if steps == 1 else several_steps
        if not self.run_eagerly:
            execute, one_step = tf.function(execute), tf.function(one_step)

        def train_function(iterator):
            if not isinstance(iterator, tf.data.Iterator | tf.distribute.DistributedIterator):
                return one_step(iterator, yes)  # a single batch, from `train_on_batch`
            check, self._check_images = self._check_images, False
            try:
                return execute(iterator, yes if check else no)
            except tf.errors.OutOfRangeError:
                raise StopIteration from None

        self.train_function = train_function

    def _checked(self, data, check):
        """A batch, whose images are checked where ``check``, a scalar boolean, is true.

        No step is counted for a batch that did not come, as at the end of a dataset of unknown size, or that is refused: in a
        graph, what does not depend on the batch would not wait for it.
        """
        input_checks.check_form(data, self.form, self._missing_part())
        values = [x for x in tf.nest.flatten(data) if x is not None]
        checks = [tf.cond(check, lambda x=x: _check(x), lambda: True) for x in values if _may_be_wrong(x)]
        for (name, (_, num_classes)), x in zip(self.form.items(), input_checks.parts_of(data), strict=False):
            if num_classes:
                label_check = lambda name=name, x=x, k=num_classes: input_checks.label_check(name, x, k)  # noqa: E731
                checks.append(tf.cond(check, label_check, lambda: True))
        with tf.control_dependencies([*values, *checks]):
            self.step.assign_add(0)  # whatever reads or counts the step comes after this
            return tf.nest.map_structure(lambda x: None if x is None else tf.identity(x), data)

    def _missing_part(self):
        return f"train it on batches of ({', '.join(self.form)})"

    def _skipping_step(self, data):
        """`train_step`, after which averages and batch statistics that are not finite are as they were before it."""
        variables = self._unfrozen(self.non_trainable_variables)
        before = [tf.identity(v.value) for v in variables]
        logs = self.train_step(data)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(tf.where(tf.reduce_all(tf.math.is_finite(variable.value)), variable.value, value))
        return logs

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing is left to build; see the class's docstring."""


def _layers(part):
    """All layers in an argument of a model's constructor, always in the same order; none of what is no layer."""
    return list(part._flatten_layers()) if isinstance(part, keras.Layer) else []


def _frozen(part):
    """The numbers of its layers that are not trained, which a network that makes its layers itself does not save."""
    return [number for number, layer in enumerate(_layers(part)) if not layer.trainable]


@contextlib.contextmanager
def _user_errors():
    """Raises a `UserError` that TensorFlow has wrapped in an error of its own."""
    try:
        yield
    except Exception as error:
        inside = None if isinstance(error, UserError) else re.search(r"UserError: (.*)", str(error))
        if inside:
            raise UserError(inside.group(1)) from None
        raise


def _may_be_wrong(x):
    """Whether ``x`` is a batch of images that are not uint8."""
    return x is not None and tf.TensorShape(x.shape).rank == 4 and tf.as_dtype(x.dtype) != tf.uint8


def _check(images):
    low, high = (tf.cast(reduce(images), tf.float32) for reduce in (tf.reduce_min, tf.reduce_max))
    floating = tf.as_dtype(images.dtype).is_floating
    if floating:
        holds_nan = tf.reduce_any(tf.math.is_nan(images))
        low, high = (tf.where(holds_nan, math.nan, x) for x in (low, high))

    def in_python(low, high):
        pixels.check_range(low, high, are_integers=not floating)
        return True

    return tf.numpy_function(in_python, [low, high], tf.bool)
