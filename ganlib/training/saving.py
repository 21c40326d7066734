"""What a `.keras` file of a model in training holds: its networks, their frozen layers, and the arguments of ``compile``."""

import types

import keras


class SavedWithTraining:
    """A mixin for `ganlib.training.DistributedModel`: ``model.save`` saves the complete training state.

    Attributes:
        parts: The names of the constructor's arguments, which are also attributes.
        earlier_arguments: Argument of ``compile`` that files of earlier versions lack -> the value that keeps their behavior,
            if this is not the default.
    """

    parts = ()
    earlier_arguments = types.MappingProxyType({})

    def get_config(self):
        """Returns the config with the constructor's arguments, in which networks are serialized as Keras serializes layers."""
        parts = {name: getattr(self, name) for name in self.parts}
        saved = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **saved, "frozen": {name: _frozen_layers(part) for name, part in parts.items()}}

    @classmethod
    def from_config(cls, config):
        """Creates the model from a config returned by `get_config`."""
        parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in cls.parts}
        arguments = dict(config)
        for name, indices in arguments.pop("frozen", {}).items():  # missing in files of earlier versions
            for index in indices:
                _layers(parts[name])[index].trainable = False
        return cls(**{**arguments, **parts})

    def get_compile_config(self):
        """Returns the arguments of ``compile`` and the optimizers, serialized, or None if the model is not compiled."""
        if not self._optimizer_names:  # the model is not compiled
            return None
        arguments = {**{name: getattr(self, name) for name in self._optimizer_names}, **self._arguments}
        return {name: keras.saving.serialize_keras_object(value) for name, value in arguments.items()}

    def compile_from_config(self, config):
        """Calls ``compile`` with the arguments in a config returned by `get_compile_config`."""
        arguments = {name: keras.saving.deserialize_keras_object(value) for name, value in config.items()}
        self.compile(**{**self.earlier_arguments, **arguments})


def _layers(part):
    """Returns all layers in a constructor argument, always in the same order, or an empty list if it is not a layer."""
    return list(part._flatten_layers()) if isinstance(part, keras.Layer) else []


def _frozen_layers(part):
    """Returns the indices of non-trainable layers. A network that creates its layers itself does not save this."""
    return [index for index, layer in enumerate(_layers(part)) if not layer.trainable]
