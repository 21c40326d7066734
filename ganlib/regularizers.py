"""Terms that a semi-supervised GAN adds to the loss of its classifier, or to that of its generator.

Those of the classifier are called with `Outputs` and a `ganlib.training.RandomStream`, those of the generator with the
features of generated images. Both return a scalar, already weighted.
"""

import dataclasses
import math
from collections.abc import Callable

import keras
import tensorflow as tf

from ganlib.errors import UserError, choose
from ganlib.training.sharing import batch_mean, whole_batch

register = keras.saving.register_keras_serializable("ganlib.regularizers")


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What the classifier's step has computed.

    Attributes:
        unlabeled_logits: ``(n, num_classes)`` of unlabelled images.
        fake_logits: ``(n, num_classes)`` of generated images.
        latents: ``(n, latent_dim)`` of those generated images.
        classify_generated: from latents to the logits of the images that the generator makes of them.
        classify_by_average: without arguments, to the ``(n, num_classes)`` logits that the averaged classifier gives the
            same unlabelled images, augmented anew.
        step: how many steps were made before, a scalar integer.
    """

    unlabeled_logits: tf.Tensor
    fake_logits: tf.Tensor
    latents: tf.Tensor
    classify_generated: Callable
    classify_by_average: Callable
    step: tf.Tensor


class Regularizer:
    """A weighted term.

    Args:
        weight: what the term is multiplied by, a number that is not negative; a penalty's may be a schedule of it.

    Raises:
        UserError: for a negative weight, which would reward what the term is against.

    Attributes:
        name: what the term is called in configs and logs.
    """

    name = None

    def __init__(self, weight=1.0):
        if not callable(weight) and not weight >= 0:
            raise UserError(f"the weight of {self.name!r} must be at least 0, got {weight}")
        self.weight = weight

    def get_config(self):
        """What `from_config` makes an equal one of."""
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config):
        """The term that `get_config` describes."""
        return cls(**config)


def listed(name, terms):
    """``terms``, an argument called ``name``, as a list.

    Raises:
        UserError: for what is no list of terms.
    """
    wrong = [terms]
    if isinstance(terms, (list, tuple)):
        wrong = [term for term in terms if isinstance(term, (str, dict, type)) or not hasattr(term, "weight")]
    if wrong:
        raise UserError(f"{name} must be a list of terms, such as [ganlib.penalties.R1(weight=1.0)], got {wrong[0]!r:.60}")
    return list(terms)


@register
class ConditionalEntropy(Regularizer):
    """The mean entropy of the class probabilities of unlabelled images: Grandvalet & Bengio 2005, in Bad GAN's loss
    (Dai et al. 2017, arXiv:1705.09783, equation 6), whose authors give it a weight of 0.1 on SVHN.

    For the classifier: it moves the boundaries between classes away from unlabelled images.
    """

    name = "conditional_entropy"

    def __call__(self, outputs, random):
        log_probabilities = tf.nn.log_softmax(outputs.unlabeled_logits)
        entropy = -tf.reduce_sum(tf.exp(log_probabilities) * log_probabilities, axis=-1)
        return self.weight * tf.reduce_mean(entropy)


@register
class Manifold(Regularizer):
    """E ||f(G(z)) - f(G(z + epsilon d / ||d||))||^2 with f the logits and d a random direction.

    Lecouat et al. 2018, "Semi-supervised learning with GANs: revisiting manifold regularization" (arXiv:1805.08957).
    For the classifier: it holds the logits still along the images that the generator makes.

    Args:
        weight: the authors' code has 1e-3.
        epsilon: the length of the step between latents.
    """

    name = "manifold"

    def __init__(self, weight=1e-3, epsilon=1.0):
        super().__init__(weight)
        self.epsilon = epsilon

    def __call__(self, outputs, random):
        direction = tf.math.l2_normalize(random.normal(tf.unstack(tf.shape(outputs.latents))), axis=-1)
        moved = outputs.classify_generated(outputs.latents + self.epsilon * direction)
        return self.weight * tf.reduce_mean(tf.reduce_sum(tf.square(outputs.fake_logits - moved), axis=-1))

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@register
class Consistency(Regularizer):
    """E ||p(x) - p'(x)||^2 with p the class probabilities of an unlabelled image, and p' those of the averaged
    classifier under another augmentation and without dropout.

    Tarvainen & Valpola 2017, "Mean teachers are better role models" (arXiv:1703.01780), whose authors give the mean over
    ten classes a weight of 100, the sum that is here a weight of 10. Triple-GAN's authors use it too.
    For the classifier: it holds its classes still under what an augmentation changes.

    Args:
        weight: what the term is multiplied by.
        ramp_up: over so many steps the weight rises from exp(-5) of itself, as the authors' does; a classifier that has
            learned little would hold on to what it guesses.
    """

    name = "consistency"

    def __init__(self, weight=10.0, ramp_up=0):
        super().__init__(weight)
        self.ramp_up = ramp_up

    def __call__(self, outputs, random):
        target = tf.stop_gradient(tf.nn.softmax(outputs.classify_by_average()))
        distances = tf.reduce_sum(tf.square(tf.nn.softmax(outputs.unlabeled_logits) - target), axis=-1)
        share = tf.minimum(tf.cast(outputs.step, tf.float32) / self.ramp_up, 1.0) if self.ramp_up else 1.0
        return self.weight * tf.exp(-5.0 * tf.square(1.0 - share)) * tf.reduce_mean(distances)

    def get_config(self):
        return {**super().get_config(), "ramp_up": self.ramp_up}


@register
class MarginalEntropy(Regularizer):
    """log K - H(E p(y|x)) over a batch of unlabelled images: 0 where all K classes are given equally often.

    Springenberg 2016, "Unsupervised and semi-supervised learning with categorical GANs" (arXiv:1511.06390), section 3.2.
    For the classifier: with few labels a class can swallow another. It takes data whose classes are about equally
    frequent.

    Args:
        weight: what the term is multiplied by.
        ramp_down: over so many steps the weight falls to 0 in a line, since a class that is a little more frequent than
            another must not lose images to it for ever; 0 keeps the weight.
    """

    name = "marginal_entropy"

    def __init__(self, weight=1.0, ramp_down=0):
        super().__init__(weight)
        self.ramp_down = ramp_down

    def __call__(self, outputs, random):
        shares = batch_mean(tf.nn.softmax(outputs.unlabeled_logits))
        left = tf.maximum(1.0 - tf.cast(outputs.step, tf.float32) / self.ramp_down, 0.0) if self.ramp_down else 1.0
        return self.weight * left * (math.log(shares.shape[0]) + tf.reduce_sum(tf.math.xlogy(shares, shares)))

    def get_config(self):
        return {**super().get_config(), "ramp_down": self.ramp_down}


@register
class PullAway(Regularizer):
    """The mean squared cosine between the features of two generated images: Zhao et al. 2017 (arXiv:1609.03126),
    section 2.4, in Bad GAN (Dai et al. 2017, arXiv:1705.09783), whose authors give it a weight of 0.8 on SVHN.

    For the generator: it keeps the entropy of what it makes high.
    """

    name = "pull_away"

    def __call__(self, fake_features):
        directions = tf.math.l2_normalize(whole_batch(tf.cast(fake_features, tf.float32)), axis=-1)
        cosines = tf.matmul(directions, directions, transpose_b=True)
        count = tf.cast(tf.shape(directions)[0], tf.float32)
        # The diagonal is the pair of an image with itself, whose cosine is 1.
        return self.weight * (tf.reduce_sum(tf.square(cosines)) - count) / (count * (count - 1.0))


def classifier_terms(regularizers, outputs, random):
    """The terms of a classifier's loss by name: a dict of scalars, ready for the logs."""
    return {regularizer.name: regularizer(outputs, random) for regularizer in regularizers}


CLASSIFIER_TERMS = {kind.name: kind for kind in (ConditionalEntropy, Manifold, Consistency, MarginalEntropy)}
"""Name -> class of a term of the classifier."""

GENERATOR_TERMS = {kind.name: kind for kind in (PullAway,)}
"""Name -> class of a term of the generator."""


def get(name, known, **arguments):
    """A term by name, out of `CLASSIFIER_TERMS` or `GENERATOR_TERMS`."""
    return choose("regularizer", name, known)(**arguments)
