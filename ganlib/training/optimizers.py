"""The optimizers of a model: from what Keras accepts as an optimizer, and as one object for Keras's callbacks."""

import keras

from ganlib.errors import UserError


def get(name, optimizer=None):
    """Returns a Keras optimizer from an optimizer, its name or its config, as ``keras.Model.compile`` does.

    Args:
        name: The name of the argument, for messages.
        optimizer: The optimizer. Defaults to None, which returns Adam with a learning rate of 2e-4 and ``beta_1=0.5``, as for
            DCGAN (Radford et al. 2016, arXiv:1511.06434).

    Raises:
        UserError: If it is not an optimizer.
    """
    if optimizer is None:
        return keras.optimizers.Adam(2e-4, beta_1=0.5)
    try:
        resolved = keras.optimizers.get(optimizer) if isinstance(optimizer, (str, dict)) else optimizer
    except ValueError:
        resolved = None
    if not isinstance(resolved, keras.optimizers.Optimizer):
        raise UserError(
            f"{name} must be a Keras optimizer, such as keras.optimizers.Adam(2e-4, beta_1=0.5), got {optimizer!r:.60}"
        )
    return resolved


def check(optimizers):
    """Checks that every network has weights to train, and an optimizer of its own.

    Args:
        optimizers: A dict from names to pairs of a Keras optimizer and the network that it updates.

    Raises:
        UserError: If two networks share an optimizer, an optimizer has the state of another network, or all weights of a
            network are frozen.
    """
    if len({id(optimizer) for optimizer, _ in optimizers.values()}) < len(optimizers):
        raise UserError(
            f"{' and '.join(optimizers)} are the same optimizer, but its state is that of one network: pass two optimizers"
        )
    for name, (optimizer, network) in optimizers.items():
        if not network.trainable_variables:
            raise UserError(
                f"{network.name} has no trainable weights: set trainable = True on the Keras model; the other network's "
                "update does not change it"
            )
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        known = {id(variable) for variable in inner._trainable_variables} if inner.built else None
        if known is not None and any(id(variable) not in known for variable in network.trainable_variables):
            raise UserError(f"{name} already has the state of other weights: pass a new optimizer")


class Optimizers:
    """The optimizers of a model in training, as ``model.optimizer`` for Keras's callbacks.

    `keras.callbacks.LearningRateScheduler` and `keras.callbacks.ReduceLROnPlateau` then set the learning rate of each
    optimizer, from its own previous learning rate.

    Args:
        optimizers: A dict from names to Keras optimizers.

    Attributes:
        optimizers: A list of the optimizers, each with its name in ``optimizers``.
        built: True.
    """

    built = True

    def __init__(self, optimizers):
        self.optimizers = [_Named(name, optimizer) for name, optimizer in optimizers.items()]

    @property
    def iterations(self):
        """The number of updates of the first optimizer."""
        return self.optimizers[0].optimizer.iterations

    @property
    def variables(self):
        """A list of the variables of all optimizers."""
        return [variable for named in self.optimizers for variable in named.optimizer.variables]

    @property
    def learning_rate(self):
        """The learning rate of all optimizers, for versions of Keras that set only one.

        Raises:
            UserError: If the optimizers have different learning rates.
        """
        rates = {named.name: float(named.learning_rate) for named in self.optimizers}
        if len(set(rates.values())) > 1:
            rates = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
            raise UserError(
                f"this model has no single learning rate ({rates}): pass a schedule of keras.optimizers.schedules to each one"
            )
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        for named in self.optimizers:
            named.learning_rate = rate


class _Named:
    """An optimizer with another name: Keras's callbacks log learning rates by name, and two optimizers may both be "adam"."""

    def __init__(self, name, optimizer):
        self.name, self.optimizer = name, optimizer

    @property
    def learning_rate(self):
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if isinstance(inner._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            raise UserError(
                f"{self.name} has a schedule as its learning rate, which a callback cannot set: remove the callback, or pass a "
                "number"
            )
        self.optimizer.learning_rate = rate
