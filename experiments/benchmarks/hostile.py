"""Malicious and malformed requests for `experiments.benchmarks.load`."""

import base64
import io
import json
import re

import numpy as np
from PIL import Image

PREDICT = "/v1/models/loaded:predict"
NUMBER = re.compile(r"-?\d+(\.\d+)?")
NUMBERS = ["1e999", "-1e400", "NaN", "9" * 400, "-1", "1.5", "null", '"x"', "[]", "{}", "18446744073709551616"]
SHAPES = [
    None,
    1,
    "x",
    [],
    {},
    [[]],
    [[1, [2]]],
    {"latents": [[1]]},
    {"images": [[[[1]]]]},
    {"image_bytes": ["?"]},
    {"a": {"b": 1}},
]
NAMES = ["", "nothing", "classify_files", "generate_from_seed", "__init__", 3, None, ["generate"], "x" * 10_000]


def request(generator, body):
    """Draws a request ``(method, path, body)``.

    Args:
        generator: A `random.Random`.
        body: The body of a valid request.
    """
    kind = generator.choice(["bytes", "cut", "noise", "number", "deep", "shape", "name", "method", "image", "many"])
    text = body.decode()
    contents = {
        "bytes": lambda: bytes(generator.randrange(256) for _ in range(generator.randrange(2000))),
        "cut": lambda: body[: generator.randrange(len(body))],
        "noise": lambda: changed(body, generator),
        "number": lambda: NUMBER.sub(lambda _: generator.choice(NUMBERS), text, count=generator.randrange(1, 4)).encode(),
        "deep": lambda: b"[" * generator.choice([10, 1000, 100_000]),
        "shape": lambda: json.dumps({"inputs": generator.choice(SHAPES)}).encode(),
        "name": lambda: json.dumps({"signature_name": generator.choice(NAMES), "inputs": generator.choice(SHAPES)}).encode(),
        "method": lambda: body,
        "image": lambda: image_request(generator),
        "many": lambda: json.dumps({"signature_name": "generate_from_seed", "inputs": {"seed": 1, "count": 10**9}}).encode(),
    }
    method = generator.choice(["GET", "PUT", "DELETE"]) if kind == "method" else "POST"
    path = generator.choice([PREDICT, "/images", "/v1/models/../etc:predict"]) if kind != "cut" else PREDICT
    return method, path, contents[kind]()


def changed(content, generator):
    content = bytearray(content)
    for _ in range(generator.randrange(1, 20)):
        content[generator.randrange(len(content))] = generator.randrange(256)
    return bytes(content)


def image_request(generator):
    """Draws a request with an image file that is corrupted or truncated."""
    buffer = io.BytesIO()
    side = generator.choice([1, 8, 300])
    pixels = np.random.default_rng(generator.randrange(1000)).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, generator.choice(["PNG", "JPEG", "GIF", "BMP"]))
    content = buffer.getvalue()
    content = changed(content, generator) if generator.random() < 0.5 else content[: generator.randrange(len(content))]
    instances = [{"b64": base64.b64encode(content).decode()}]
    return json.dumps({"signature_name": "classify_files", "instances": instances}).encode()
