"""What a model begins its training with, where that is not random: the weights of another run, or what the data say."""

from ganlib import data, runs
from ganlib.errors import UserError
from ganlib.models.adversarial import AdversarialModel

INITIALIZATION_IMAGES = 500
"""By so many images weight-normalized layers are initialized, as by Salimans et al. 2016 (arXiv:1606.03498)."""


def with_features_of(config):
    """``config`` with the discriminator of the GAN that its ``features_from`` names, if it names one, for the classifier.

    Raises:
        UserError: if there is no such run, or its images are of another size.
    """
    if not config.features_from:
        return config
    source, config = runs.open_run(config.features_from), config.copy_and_resolve_references()
    own, networks = source.config.discriminator, source.config.networks
    if config.method == "triple_gan":
        config.triple_gan.classifier = {"networks": networks} | own.to_dict()
    elif config.method == "semi_supervised":  # its generator has networks of its own
        config.discriminator = own if networks == config.networks else {"networks": networks} | own.to_dict()
    else:
        config.networks, config.discriminator = networks, own
    return config


def initialize_classifier(model, run, unlabeled):
    """Sets the features of a classifier before its training: to those of the GAN that its config names, or, where its
    layers are weight-normalized, by the data.

    Args:
        model: from `ganlib.runs.build`, by a config from `with_features_of`.
        run: its `ganlib.runs.Run`.
        unlabeled: a `ganlib.data.Source` of training images.

    Raises:
        UserError: if the GAN was trained on images of another shape.
    """
    if run.config.features_from:
        _set_weights(model.network.body, _body_of(run.config.features_from, run).get_weights(), run.config.features_from)
    else:
        count = min(INITIALIZATION_IMAGES, unlabeled.num_examples)
        model.network.initialize(next(iter(data.batches(unlabeled, count, run.config.seed, with_labels=False))))
    model.classifier.set_weights(model.network.get_weights())


def initialize_gan(model, run, instances=None):
    """Sets what a GAN begins its training with, where its config names other runs, and the instances that it keeps.

    Args:
        model: a `ganlib.GAN` from `ganlib.runs.build`.
        run: its `ganlib.runs.Run`.
        instances: `ganlib.metrics.instances.Instances` of the training images, of an instance-conditioned GAN.

    Raises:
        UserError: for a run whose networks are not the same.
    """
    config = run.config
    generators = model.generator, model.ema_generator
    if config.weights_from:
        other = runs.load_gan(config.weights_from)
        for generator in generators:
            _set_weights(generator, other.ema_generator.get_weights(), config.weights_from)
        _set_weights(model.discriminator, other.discriminator.get_weights(), config.weights_from)
    if config.body_from:
        _set_weights(model.discriminator.body, _body_of(config.body_from, run).get_weights(), config.body_from)
    if instances is not None:
        for generator in generators:
            generator.set_instances(instances.chosen(generator.num_instances, config.seed))


def _body_of(workdir, run):
    """What makes features in another run, which must be of images like those of ``run``."""
    other, model = runs.open_run(workdir), runs.load(workdir)
    if other.image_shape != run.image_shape:
        raise UserError(f"run {str(workdir)!r} is of images of {other.image_shape}, this data of {run.image_shape}: "
                        "set image_size, so that they are alike")  # fmt: skip
    return model.discriminator.body if isinstance(model, AdversarialModel) else model.classifier.body


def _set_weights(network, weights, workdir):
    shapes = [tuple(weight.shape) for weight in network.weights]
    if shapes != [weight.shape for weight in weights]:
        raise UserError(
            f"run {str(workdir)!r} has other networks, whose weights do not fit this {network.name}: give both the same"
        )
    network.set_weights(weights)
