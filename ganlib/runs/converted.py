"""Creates a run from the networks that an authors' code has trained, so that every job works on them."""

import dataclasses
import hashlib
import inspect
import pathlib
import platform

import keras
import tensorflow as tf

import ganlib
from ganlib import interop
from ganlib.data import sizes
from ganlib.errors import UserError
from ganlib.interop.networks import module
from ganlib.methods.building import arguments_of
from ganlib.runs import resuming
from ganlib.runs.folder import Run
from ganlib.runs.from_config import build

CONFIG_FILE = "further_training.py"
"""The name of the config in a converted run's folder that trains its networks further."""


@dataclasses.dataclass(frozen=True)
class Networks:
    """The networks in the files of an authors' code.

    Attributes:
        averaged: The `ganlib.networks.Generator` to generate with, the authors' moving average if the file has one.
        generator: The generator that further training starts from. It is ``averaged`` if the file has only one.
        discriminator: A `ganlib.networks.Discriminator`, or None if there is none in the files.
    """

    averaged: object
    generator: object
    discriminator: object


def read(code, path, discriminator_path=None, generator_only=False):
    """Reads the networks in the files of an authors' code.

    Args:
        code: A name from `ganlib.interop.codes`.
        path: A file for `ganlib.interop.read` with a generator, and possibly a discriminator.
        discriminator_path: Another file with the discriminator; None looks for it in ``path``. Defaults to None.
        generator_only: Whether to leave out the discriminator. Defaults to False.

    Raises:
        UserError: If a file cannot be read, has no generator, or does not fit the code, or if the networks do not fit each
            other.
    """
    parts, names = interop.read(path), module(code)
    generators = _states(parts, names.GENERATOR_PARTS)
    if not generators and len(parts) == 1:
        generators = list(parts.values())
    if not generators:
        raise UserError(
            f"{str(path)!r} has no generator of {code}: it has the parts {', '.join(parts)}, not "
            f"{' or '.join(names.GENERATOR_PARTS)}"
        )
    averaged, *others = (interop.generator(code, state) for state in generators[:2])
    if generator_only:
        discriminators = []
    elif discriminator_path:
        parts = interop.read(discriminator_path)
        discriminators = _states(parts, (*names.DISCRIMINATOR_PARTS, *names.GENERATOR_PARTS)) or list(parts.values())
    else:
        discriminators = _states(parts, names.DISCRIMINATOR_PARTS)
    discriminator = _discriminator(code, discriminators[0]) if discriminators else None
    networks = Networks(averaged, others[0] if others else averaged, discriminator)
    _check_fit(networks, getattr(names, "DISCRIMINATOR_TELLS_SIZE", True))
    return networks


def _states(parts, names):
    return [parts[name] for name in names if name in parts]


def _discriminator(code, state):
    try:
        return interop.discriminator(code, state)
    except UserError as error:
        raise UserError(f"{error}; pass --generator_only to convert the generator alone") from None


def _check_fit(networks, discriminator_tells_size):
    """Raises a `UserError` if the networks of a file are not those of one GAN."""
    averaged, generator, discriminator = networks.averaged, networks.generator, networks.discriminator
    if [tuple(weight.shape) for weight in averaged.weights] != [tuple(weight.shape) for weight in generator.weights]:
        raise UserError("the file holds generators of different sizes: pass a file of one network")
    compared = ("image_shape", "num_classes") if discriminator_tells_size else ("num_classes",)
    for name in compared if discriminator is not None else ():
        ours, theirs = getattr(generator, name), getattr(discriminator, name)
        if ours != theirs:
            raise UserError(
                f"the discriminator does not belong to the generator: its {name} is {theirs}, the generator's is {ours}; pass "
                "another --discriminator_file, or --generator_only"
            )


def create(workdir, code, path, networks, config, source=None, discriminator_path=None):
    """Writes a run's folder with a checkpoint of the networks at step 0.

    Args:
        workdir: The folder of the run, which must not hold a run.
        code: The name of the authors' code.
        path: The file that the networks come from, for the model card.
        networks: The `Networks`.
        config: The `ConfigDict` with the defaults of a GAN, which gets the networks and their arguments.
        source: The `ganlib.data.Source` of the images that they were trained on, for class names and evaluation. Defaults to
            None.
        discriminator_path: The file that the discriminator comes from, if it is another one. Defaults to None.

    Returns:
        A tuple of the `ganlib.runs.Run` and its `ganlib.GAN`.

    Raises:
        UserError: If the folder holds a run, or the images do not fit the networks.
    """
    workdir, generator = pathlib.Path(workdir), networks.averaged
    if any((workdir / name).exists() for name in ("config.json", "run.json", "checkpoints")):
        raise UserError(f"{str(workdir)!r} holds a run: choose another --workdir")
    if source is not None:
        _check_source(source, generator)
    config.networks = _architecture(generator)
    config.conditional = bool(generator.num_classes)
    with config.ignore_type():
        config.generator = _arguments(generator)
        if networks.discriminator is not None:
            config.discriminator = _arguments(networks.discriminator)
            if _architecture(networks.discriminator) != config.networks:
                config.discriminator.networks = _architecture(networks.discriminator)
        elif config.networks == "fastgan":  # it has no discriminator of its own
            config.discriminator = {"networks": "projected", "weights": None}
    run = Run(workdir, workdir, config, _facts(code, path, networks, source, discriminator_path))
    model = build(run)
    model.generator.set_weights(networks.generator.get_weights())
    model.ema_generator.set_weights(generator.get_weights())
    if networks.discriminator is not None:
        model.discriminator.set_weights(networks.discriminator.get_weights())
    checkpoints = run.checkpoints(model)
    checkpoints.save()
    checkpoints.wait()
    run.write()
    run.write_facts(finished_step=0)
    return run, model


def _check_source(source, generator):
    if source.image_shape[2] != generator.image_shape[2]:
        raise UserError(
            f"the network generates images of {generator.image_shape[2]} channels, but {source.name} has images of "
            f"{source.image_shape[2]}: pass another --dataset"
        )
    if source.image_shape != generator.image_shape:
        raise UserError(
            f"the network generates images of shape {generator.image_shape}, but {source.name} has images of shape "
            f"{source.image_shape}: pass --image_size={sizes.text(generator.image_shape[:2])} or another --dataset"
        )
    if generator.num_classes and generator.num_classes != len(source.class_names):
        raise UserError(
            f"the network has {generator.num_classes} classes, but {source.name} has {len(source.class_names)}: pass another "
            "--dataset"
        )


def _architecture(network):
    return type(network).__module__.rpartition(".")[2]


def _arguments(network):
    """Returns the arguments of a network for a config: those that differ from the defaults of its class."""
    config = network.get_config() | getattr(network, "loaded_from", {})
    defaults = inspect.signature(type(network).__init__).parameters
    names = arguments_of(type(network)) - {"image_shape", "num_classes", "name", "trainable", "dtype"}
    return {
        name: config[name]
        for name in sorted(names)
        if name in config and (name not in defaults or defaults[name].default != config[name])
    }


def _facts(code, path, networks, source, discriminator_path):
    """Returns the entries of ``run.json``."""
    path, names, generator = pathlib.Path(path), module(code), networks.averaged
    classes = [str(index) for index in range(generator.num_classes or 0)]
    about_data = {"image_shape": list(generator.image_shape), "class_names": classes, "data": f"that of {path.name}"}
    if source is not None:
        about_data = resuming.data_facts(source)
    origin = {"code": names.SOURCE, "license": names.LICENSE, "file": path.name, "sha256": _sha256(path),
              "has_discriminator": networks.discriminator is not None}  # fmt: skip
    if discriminator_path:
        discriminator_path = pathlib.Path(discriminator_path)
        origin |= {"discriminator_file": discriminator_path.name, "discriminator_sha256": _sha256(discriminator_path)}
    return about_data | {
        "converted_from": origin, "ganlib": ganlib.__version__, "defaults_of": ganlib.__version__,
        "tensorflow": tf.__version__, "keras": keras.__version__, "python": platform.python_version(),
    }  # fmt: skip


def _sha256(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def config_file(run):
    """Returns the source of a config that trains the networks of a converted run further."""
    arguments = {which: run.config[which].to_dict() for which in ("generator", "discriminator")}
    if not run.facts["converted_from"]["has_discriminator"]:
        arguments["discriminator"].pop("weights", None)  # a pretrained backbone gets its weights
    has_data = "num_examples" in run.facts
    data_dir = f"    config.data_dir = {run.config.data_dir!r}\n" if has_data and run.config.data_dir else ""
    return f'''"""Trains the networks of {str(run.folder)!r} further.

python -m experiments.train_gan --config={run.folder / CONFIG_FILE} --workdir=WORKDIR --config.dataset=DATASET

The networks and their weights are those of {run.facts["converted_from"]["code"]}. The loss, the penalties and the optimizers
are the defaults of ganlib: set them as in the config of this method in experiments/configs.
"""

from experiments.configs import base


def get_config():
    config = base.gan()
    config.dataset = {run.config.dataset if has_data else "folder:SET_config.dataset"!r}
{data_dir}    config.image_size = {sizes.simplest(run.image_shape[:2])}
    config.conditional = {run.config.conditional}
    config.networks = {run.config.networks!r}
    config.generator = {arguments["generator"]!r}
    config.discriminator = {arguments["discriminator"]!r}
    config.weights_from = {str(run.folder)!r}
    with config.ignore_type():  # a schedule has no warm-up, which would soon discard the average of the file
        config.ema_decay = {{"linear": {{"start": 0.999, "end": 0.999, "steps": 1}}}}
    return config
'''
