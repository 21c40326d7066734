"""Trains the density model of Bad GAN before the GAN, as a run of its own in the folder of the GAN's run."""

from ml_collections import ConfigDict

from ganlib import data
from ganlib.evaluation.images import some_images
from ganlib.methods import building
from ganlib.models import DensityModel
from ganlib.networks.base import rescale
from ganlib.runs import folder, loop

NAME = "density"
"""The name of its folder, which has its config, metrics and checkpoints."""

INITIALIZATION_IMAGES = 100
"""The number of images that initialize its weight-normalized layers."""

THRESHOLD_IMAGES = 10_000
"""The largest number of images that determine the threshold, as many as in the authors' code."""

STREAM = 3
"""The stream of the order of its images: see `ganlib.data.batches`."""

SHARED_KEYS = (
    "dataset", "data_dir", "classes", "image_size", "skip_corrupt", "background", "fit", "unlabeled_dataset", "label_seed",
    "validation_per_class", "seed", "accumulation_steps", "non_finite", "log_every", "checkpoint_every",
)  # fmt: skip
"""Keys whose values the run of the density model has from the run of the GAN."""


def train(run, model, source, accept_new_config=False):
    """Trains the density model of a `ganlib.BadGAN`, from its newest checkpoint if there is one, and sets the threshold.

    Args:
        run: The `ganlib.runs.Run` of the model.
        model: A model from `ganlib.runs.build`. Nothing happens if it has no density model.
        source: A `ganlib.data.Source` of the training images, whose labels are not read.
        accept_new_config: As in `ganlib.runs.start`. Defaults to False.

    Raises:
        UserError: If the density model was trained with another config or on other images, or its loss is not finite.
    """
    if getattr(model, "density", None) is None:
        return
    settings, seed = run.config.bad_gan, run.config.seed
    config = config_of(run.config)
    density_run = folder.start(run.folder / NAME, config, source, accept_new_config, run.strategy)
    with run.strategy.scope():
        density = DensityModel(model.density)
        density.compile(
            building.optimizer(settings.density_optimizer, settings.density_steps),
            **{key: config[key] for key in ("seed", "accumulation_steps", "non_finite")},
        )
    if not density_run.checkpoints(density).steps():
        model.density.initialize(rescale(some_images(source, INITIALIZATION_IMAGES, seed)))

    def batches(start_step, share=data.pipeline.ALL):
        return data.batches(source, config.batch_size, seed, start_step, with_labels=False, stream=STREAM, share=share)

    loop.fit(density_run, density, batches, label=NAME, samples=False)
    model.set_threshold(some_images(source, THRESHOLD_IMAGES, seed), settings.density_quantile)


def config_of(config):
    """Returns the config of the density model's run, given that of the GAN's run."""
    settings = config.bad_gan
    return ConfigDict({
        **{key: config[key] for key in SHARED_KEYS},
        "method": NAME, "density": settings.density, "density_optimizer": settings.density_optimizer,
        "steps": settings.density_steps, "batch_size": settings.density_batch_size,
        "precision": "float32", "steps_per_execution": 1, "sample_every": 0, "evaluate_every": 0,
    })  # fmt: skip
