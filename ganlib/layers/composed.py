"""A mixin for layers and models that take other layers as arguments."""

import keras

from ganlib.layers.dtype_policy import policy


class Composed:
    """A mixin for a Keras layer or model whose arguments include other layers. They are saved with it and restored before it.

    Attributes:
        parts: The names of those arguments, which are also the names of the attributes that hold them.
    """

    parts = ()

    def get_config(self):
        """Returns the config, in which the parts are serialized as Keras serializes layers."""
        return {**super().get_config(), **self.config_of_parts()}

    def config_of_parts(self):
        """Returns a dict from the names of the parts to their serialized form."""
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.parts}

    @classmethod
    def from_config(cls, config):
        """Creates the layer that a config describes, with its parts restored."""
        with policy(config.get("dtype")):  # a `keras.Sequential` is saved without its policy
            parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in cls.parts}
        return cls(**{**config, **parts})
