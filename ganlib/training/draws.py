"""The random numbers of a forward pass, for another pass with the same ones."""

import contextlib
import copy

import tensorflow as tf

from ganlib import seeds
from ganlib.training import gradients

STATE = "seed_generator_state"
"""The name of the variables that Keras's random layers, such as dropout, draw their numbers from."""


def states(networks):
    """Returns the variables from which the random layers of ``networks`` draw their numbers, as a list."""
    return [variable for network in networks for variable in network.variables if variable.name == STATE]


def seed(networks, seed_of_all):
    """Sets what the random layers of ``networks`` draw next.

    Args:
        networks: The networks.
        seed_of_all: A ``(2,)`` int64 seed from `ganlib.seeds.derive`, from which each layer gets a seed of its own.
    """
    variables = states(networks)
    if variables:
        shape = (len(variables), 2)
        numbers = tf.random.stateless_uniform(shape, seed_of_all, 0, 2**31 - 1, tf.int32, alg=seeds.ALGORITHM)
        for index, variable in enumerate(variables):
            variable.assign(tf.cast(numbers[index], variable.value.dtype))


class Draws:
    """Remembers what the next forward pass draws: its augmentation, the noise of a generator, and the masks of dropout.

    Args:
        networks: The networks of the passes.
        rng: A `ganlib.training.RandomStream`.
    """

    def __init__(self, networks, rng):
        self._states, self._rng = states(networks), copy.copy(rng)
        self._seeds = [tf.identity(state.value) for state in self._states]

    @contextlib.contextmanager
    def again(self):
        """Returns a context in which passes draw the remembered numbers again. Its value is the stream for these passes."""
        later = [tf.identity(state.value) for state in self._states]
        gradients.assign(self._states, self._seeds)
        try:
            yield copy.copy(self._rng)
        finally:
            gradients.assign(self._states, later)


def classify_generated(generate, classify, of_generator, of_classifier):
    """Returns a function from latents to logits that repeats the draws of an earlier generation and classification.

    Args:
        generate: A function from latents and a stream to images.
        classify: A function from images and a stream to logits.
        of_generator: The `Draws` of the earlier generation.
        of_classifier: The `Draws` of the earlier classification.

    Returns:
        A function ``(latents, moved)``. ``moved``, if given, maps the generated images to the images that are classified.
    """

    def logits_of(latents, moved=None):
        with of_generator.again() as rng:
            images = generate(latents, rng)
        with of_classifier.again() as rng:
            return classify(moved(images) if moved else images, rng)

    return logits_of
