"""Random inputs from a seeded generator: every job either runs or ends with a one-line error message."""

import io
import json
import random
import subprocess
import sys

import ml_collections
import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import train_classifier, train_gan
from experiments.configs import digits_dcgan, digits_sgan
from ganlib import data
from tests.end_to_end.jobs import ROOT
from tests.helpers import slow_beyond

NUMBERS = (-1, 0, 1, 2, 3, 5, 7, 17)
FLOATS = (-1.0, 0.0, 0.3, 1.0, 1e-30, 1e30, float("nan"), float("inf"))
WORDS = (
    "", "x", "none", "digits", "mlp", "dcgan", "resnet", "hinge", "relativistic", "sgd", "simultaneous", "skip", "fid",
    "translation,cutout", "shift,,x", "mixed_float16", "folder:", "folder:/nowhere", "config:nothing", "runs/nothing", "a b\n",
)  # fmt: skip
JOBS = {
    train_gan: (digits_dcgan, {"generator.width": 4, "discriminator.width": 4}),
    train_classifier: (digits_sgan, {"generator.width": 4, "discriminator.width": 4, "validation_per_class": 2}),
}


POOLS = {int: NUMBERS, float: FLOATS, str: WORDS, bool: (True, False)}
"""Values that a flag can set, by the type of the key."""


def leaves(config, prefix=""):
    """Yields the name and the type of every key that a flag can set."""
    for key in config:
        kind = config.get_type(key)
        if kind is ml_collections.ConfigDict:
            yield from leaves(config[key], f"{prefix}{key}.")
        elif kind in POOLS:
            yield f"{prefix}{key}", kind


def outcome(function):
    """Returns ``(result, None)``, or ``(None, message)`` for a `UserError`. Any other exception is a bug."""
    try:
        return function(), None
    except ganlib.UserError as error:
        return None, str(error)


def is_one_line(message):
    return message is not None and message.strip() and "\n" not in message


@pytest.mark.parametrize("seed", slow_beyond(range(30), 10))
def test_configs(tmp_path, seed):
    generator = random.Random(seed)
    trainer = generator.choice(list(JOBS))
    module, small = JOBS[trainer]
    config = module.get_config()
    config.update_from_flattened_dict(small)
    config.update(steps=2, steps_per_execution=1, batch_size=8)
    changes = {}
    for key, kind in generator.sample(list(leaves(config)), generator.randint(1, 3)):
        changes[key] = generator.choice(POOLS[kind])
    config.update_from_flattened_dict(changes)
    workdir = tmp_path / "run"
    _, message = outcome(lambda: trainer.train(config, workdir))
    assert is_one_line(message) or (message is None and (workdir / "report.html").exists()), (changes, message)


def picture(generator, kind):
    """Returns a random image file."""
    mode = generator.choice(["L", "RGB", "RGBA", "P", "1", "LA", "CMYK", "I;16"])
    size = generator.choice([(8, 8), (8, 9), (1, 1), (64, 64)])
    pixels = np.random.default_rng(generator.randrange(2**32)).integers(0, 256, (*size, 3), np.uint8)
    image = Image.fromarray(pixels).convert("L" if mode == "I;16" else "RGB").convert(mode)
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind)
    except (OSError, ValueError):  # this format does not support the mode
        Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def damaged(content, generator):
    """Returns the content unchanged, truncated, corrupted, duplicated or replaced."""
    position = generator.randrange(len(content))
    return generator.choice(
        [
            content,
            content,
            content,
            content[:position],
            content[:position] + bytes([generator.randrange(256)]) + content[position + 1 :],
            content[:position] + content,
            b"",
            bytes(generator.randrange(256) for _ in range(50)),
            b"GIF89a" + content[position:],
        ]
    )


@pytest.mark.parametrize("seed", slow_beyond(range(100), 50))
def test_folders(tmp_path, seed):
    generator = random.Random(seed)
    root = tmp_path / "images"
    for number in range(generator.randint(0, 6)):
        kind = generator.choice(["PNG", "JPEG", "BMP", "GIF"])
        folder = root / generator.choice(["", "", "cat", "dog", "train/cat", ".hidden", "test"])
        folder.mkdir(parents=True, exist_ok=True)
        name = generator.choice(
            [f"{number}.{kind.lower()}", f"{number}.png", f".{number}.jpg", f"\u00e9 {number}.JPG", "notes.txt"]
        )
        (folder / name).write_bytes(damaged(picture(generator, kind), generator))
    size, skip = generator.choice([None, 8, 8, 1, 0]), generator.random() < 0.5

    def first_image():
        source = data.open(f"folder:{root}", image_size=size, skip_corrupt=skip)
        return source.image_shape, next(iter(data.batches(source, 1, with_labels=False))).shape[1:]

    shapes, message = outcome(first_image)
    assert is_one_line(message) or shapes[0] == shapes[1], message


FLAGS_SCRIPT = """
import contextlib, io, json, sys
from absl import flags
from experiments.common import job

job.define_training_flags()
for line in sys.stdin:
    flags.FLAGS.unparse_flags()
    errors, status = io.StringIO(), 0
    with contextlib.redirect_stderr(errors):
        try:
            job.parse(["train_gan", *json.loads(line)])
        except SystemExit as end:
            status = end.code
    print(json.dumps([status, errors.getvalue()]), flush=True)
"""


def random_flags(generator):
    """Returns random arguments of a training job."""
    keys = [
        "steps",
        "seed",
        "generator.width",
        "generator",
        "penalties",
        "augment",
        "stepz",
        "",
        "smoke",
        "ema_decay",
        "data_dir",
    ]
    values = [*map(str, NUMBERS), *map(str, FLOATS), *WORDS, "(1, 2)", "{}", "{'a': 1}", "1.5", "True", "no", "é"]
    config = generator.choice(["experiments/configs/digits_dcgan.py"] * 6 + ["", "nothing.py", "README.md", "experiments"])
    arguments = [f"--config={config}", "--workdir=runs/x"]
    for _ in range(generator.randint(0, 3)):
        key, value = generator.choice(keys), generator.choice(values)
        others = [
            f"--strategy={value}",
            f"--replicas={value}",
            f"--accept_new_config={value}",
            f"--workdr={value}",
            value,
            "--",
            "-x",
        ]
        arguments.append(generator.choice([f"--config.{key}={value}", f"--config.{key}", *others]))
    generator.shuffle(arguments)
    return arguments


def test_flags():
    command_lines = [random_flags(random.Random(seed)) for seed in range(70)]
    lines = "".join(json.dumps(arguments) + "\n" for arguments in command_lines)
    process = subprocess.run(
        [sys.executable, "-c", FLAGS_SCRIPT], input=lines, capture_output=True, text=True, cwd=ROOT, timeout=200
    )
    assert process.returncode == 0, process.stderr
    outcomes = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(outcomes) == len(command_lines)
    assert {status for status, _ in outcomes} == {0, 2}
    for arguments, (status, errors) in zip(command_lines, outcomes, strict=True):
        assert status == 0 or (errors.startswith("error: ") and errors.count("\n") == 1), (arguments, errors)
