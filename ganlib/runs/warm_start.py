"""Initializes a model from the weights of another run, or from the data."""

import numpy as np

from ganlib import data, runs, seeds
from ganlib.errors import UserError
from ganlib.methods import building
from ganlib.models.adversarial import AdversarialModel
from ganlib.models.linear_probe import fit_head
from ganlib.runs import features
from ganlib.training import draws

INITIALIZATION_IMAGES = 500
"""The number of images that initialize weight-normalized layers, as in Salimans et al. 2016 (arXiv:1606.03498)."""


def with_features_of(config):
    """Returns a classifier's config with the discriminator of the GAN in ``features_from``, if that key is set.

    Raises:
        UserError: If there is no such run.
    """
    if not config.features_from:
        return config
    source, config = runs.open_run(config.features_from), config.copy_and_resolve_references()
    networks = source.config.networks
    discriminator = building.completed(source, "discriminator", source.config.discriminator.to_dict())
    if config.method == "triple_gan":
        config.triple_gan.classifier = {"networks": networks} | discriminator
    elif config.method in ("semi_supervised", "bad_gan"):  # config.networks stays: it names the generator's module
        same_networks = networks == config.networks
        config.discriminator = discriminator if same_networks else {"networks": networks} | discriminator
    else:
        config.networks, config.discriminator = networks, discriminator
    return config


def initialize_classifier(model, run, unlabeled, labeled=None):
    """Initializes the features of a classifier, from the GAN that its config names or, for weight-normalized layers, from the
    data, and then the weight-normalized layers of its generator. Then initializes the last layer of the classifier by a linear
    probe, if the config has ``initial_head="linear_probe"``.

    Args:
        model: A model from `ganlib.runs.build`, with a config from `with_features_of`.
        run: The `ganlib.runs.Run` of the model.
        unlabeled: A `ganlib.data.Source` of training images.
        labeled: A `ganlib.data.Source` of the labeled images, for a linear probe. Defaults to None.

    Raises:
        UserError: If the GAN was trained on images of another shape, or the last layer is not a dense layer.
    """
    if run.config.features_from:
        _set_weights(model.network.body, _body_of(run.config.features_from, run).get_weights(), run.config.features_from)
    else:
        features.adapt(model, unlabeled)
        count = min(INITIALIZATION_IMAGES, unlabeled.num_examples)
        batches = data.batches(features.encoded(model, unlabeled), count, run.config.seed, with_labels=False)
        draws.seed([model.network], seeds.derive(run.config.seed, seeds.Purpose.INITIALIZATION, 1))
        model.network.initialize(next(iter(batches)))
    if isinstance(model, AdversarialModel):
        model.initialize_generator(run.config.batch_size)
    if run.config.get("initial_head"):  # earlier configs lack the key
        computed = features.computed(model.network.body, labeled)
        fit_head([model.network], computed, np.asarray(labeled.labels), building.is_balanced(run.config), run.config.seed)
    model.classifier.set_weights(model.network.get_weights())


def initialize_gan(model, run, instances=None):
    """Initializes the weight-normalized layers of a GAN's generator, then the GAN from the other runs that its config names,
    and stores the instances in its generator.

    Args:
        model: A `ganlib.GAN` from `ganlib.runs.build`.
        run: The `ganlib.runs.Run` of the model.
        instances: The `ganlib.metrics.instances.Instances` of the training images for an instance-conditioned GAN; None for
            other GANs. Defaults to None.

    Raises:
        UserError: If another run has different networks.
    """
    config = run.config
    model.initialize_generator(config.batch_size)
    generators = model.generator, model.ema_generator
    if config.weights_from:
        other, origin = runs.load_gan(config.weights_from), runs.open_run(config.weights_from).facts.get("converted_from")
        for generator in generators:
            _set_weights(generator, other.ema_generator.get_weights(), config.weights_from)
        if origin:  # as the authors' codes resume
            _set_weights(model.generator, other.generator.get_weights(), config.weights_from)
        if not origin or origin.get("has_discriminator", True):
            _set_weights(model.discriminator, other.discriminator.get_weights(), config.weights_from)
    if config.body_from:
        _set_weights(model.discriminator.body, _body_of(config.body_from, run).get_weights(), config.body_from)
    if instances is not None:
        for generator in generators:
            generator.set_instances(instances.chosen(generator.num_instances, config.seed))


def _body_of(workdir, run):
    """Returns the feature extractor of another run, which must have the same image shape as ``run``."""
    other, model = runs.open_run(workdir), runs.load(workdir)
    if other.image_shape != run.image_shape:
        raise UserError(
            f"run {str(workdir)!r} was trained on images of shape {other.image_shape}, but this data has shape "
            f"{run.image_shape}: set image_size to make them equal"
        )
    return model.discriminator.body if isinstance(model, AdversarialModel) else model.classifier.body


def _set_weights(network, weights, workdir):
    shapes = [tuple(weight.shape) for weight in network.weights]
    if shapes != [weight.shape for weight in weights]:
        raise UserError(
            f"the weights of run {str(workdir)!r} do not fit this {network.name}: configure the same networks for both"
        )
    network.set_weights(weights)
