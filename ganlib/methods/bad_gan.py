"""A semi-supervised GAN whose generator makes unlikely or varied images: Dai et al. 2017 (arXiv:1705.09783)."""

from ganlib.errors import UserError
from ganlib.methods import semi_supervised, values
from ganlib.methods.conditions import ENCODES, LOWERS_DENSITY
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.BadGAN` of a run.

    Raises:
        UserError: If the run has neither of the two terms, or its steps end before the one of the density begins.
    """
    from ganlib.methods import building
    from ganlib.models import BadGAN
    from ganlib.networks import pixel_cnn

    config, settings, parts = run.config, run.config.bad_gan, semi_supervised.model_arguments(run)
    _check(config)
    if settings.encoder_weight:
        latent_dim = parts["generator"].latent_dim
        parts["encoder"] = building.network(run, "encoder", {"latent_dim": latent_dim, **settings.encoder})
    if settings.low_density_weight:
        # In float32, since the density is a product over all pixels.
        arguments = {"image_shape": run.image_shape, "dtype": "float32"}
        parts["density"] = building.constructed(pixel_cnn.PixelCNN, "density model", settings.density, **arguments)
    model = BadGAN(**parts)
    model.compile(
        encoder_optimizer=building.optimizer(settings.encoder_optimizer, config.steps),
        encoder_weight=settings.encoder_weight,
        low_density_weight=settings.low_density_weight,
        low_density_probability=settings.low_density_probability,
        low_density_share=settings.low_density_share,
        low_density_from_step=settings.low_density_from_step,
        **semi_supervised.compile_arguments(run),
    )
    return model


def _check(config):
    settings = config.bad_gan
    if not (settings.encoder_weight or settings.low_density_weight):
        raise UserError(
            "bad_gan.encoder_weight and bad_gan.low_density_weight are both 0: set one of them, such as "
            "bad_gan.encoder_weight=0.01, or set method to 'semi_supervised'"
        )
    if settings.low_density_weight and settings.low_density_from_step >= config.steps:
        raise UserError(
            f"bad_gan.low_density_from_step={settings.low_density_from_step} is after the last of the {config.steps} steps: "
            "decrease it, or increase steps"
        )


METHOD = Method(
    job="train_classifier",
    build=build,
    reads=semi_supervised.METHOD.reads
    | {
        "bad_gan.encoder_weight": (),
        "bad_gan.encoder": (ENCODES,),
        "bad_gan.encoder_optimizer": (ENCODES,),
        "bad_gan.low_density_weight": (),
        "bad_gan.low_density_probability": (LOWERS_DENSITY,),
        "bad_gan.low_density_share": (LOWERS_DENSITY,),
        "bad_gan.low_density_from_step": (LOWERS_DENSITY,),
        "bad_gan.density": (LOWERS_DENSITY,),
        "bad_gan.density_optimizer": (LOWERS_DENSITY,),
        "bad_gan.density_steps": (LOWERS_DENSITY,),
        "bad_gan.density_batch_size": (LOWERS_DENSITY,),
        "bad_gan.density_quantile": (LOWERS_DENSITY,),
    },
    settings={
        "encoder_weight": (0.0, "weight of the loss of predicting the latents by an encoder; 0: no encoder"),
        "encoder": ({}, "arguments of the Encoder in the module of networks"),
        "encoder_optimizer": ({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.0}, "optimizer of the encoder"),
        "low_density_weight": (0.0, "weight of the generated images' density above a threshold; 0: no density model"),
        "low_density_probability": (0.1, "probability of this term in a step"),
        "low_density_share": (0.3, "fraction of the generated images of a step that have this term"),
        "low_density_from_step": (9001, "step from which on there is this term"),
        "density": ({}, "arguments of ganlib.networks.pixel_cnn.PixelCNN, the density model"),
        "density_optimizer": (
            {"name": "adam", "learning_rate": 2e-4, "beta_1": 0.95, "beta_2": 0.9995},
            "optimizer of the density model",
        ),
        "density_steps": (20_000, "steps of the density model, which is trained first"),
        "density_batch_size": (40, "images in a batch of the density model"),
        "density_quantile": (0.1, "fraction of the training images that have a density below the threshold"),
    },
    values={
        **semi_supervised.METHOD.values,
        "bad_gan.encoder_weight": values.number(0),
        "bad_gan.encoder_optimizer": values.arguments,
        "bad_gan.low_density_weight": values.number(0),
        "bad_gan.low_density_probability": values.share(),
        "bad_gan.low_density_share": values.share(open_low=True),
        "bad_gan.low_density_from_step": values.whole(0),
        "bad_gan.density_optimizer": values.arguments,
        "bad_gan.density_steps": values.whole(1),
        "bad_gan.density_batch_size": values.whole(1),
        "bad_gan.density_quantile": values.share(open_high=True),
    },
)
