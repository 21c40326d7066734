"""A run's folder completely defines its trained model: a change to any part of it reaches every reader.

The parts are the averaged weights, the temperature, the classes and their order, the background, the fit and the image size of
a classifier. The predictions of all readers for one image are compared with those of the model in memory.
"""

import asyncio
import base64
import csv
import importlib.util
import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi")

import ganlib
from experiments import configs
from ganlib import data, export, runs
from ganlib.data import folders
from ganlib.serving.service import Service
from tests.end_to_end.jobs import run_in_one_process
from tests.export.test_formats import MODULES

PARTS = {
    "weights": {"seed": 1},
    "temperature": {"temperature": 2.0},
    "class names and their order": {"class_names": ("c", "b", "d")},
    "background": {"background": "black"},
    "fit": {"fit": "pad"},
    "image size": {"size": 16},
}
READERS = ["load", "classify", *export.FORMATS, "classify_files of saved_model"]


def picture():
    """Returns a PNG file whose left half is transparent."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    pixels[..., 3] = np.where(np.arange(30) < 15, 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def leave_a_run(folder, seed=0, temperature=0.3, class_names=("a", "b", "c"), background="white", size=8, fit="crop"):
    """Writes a run as a training job does. Returns the probabilities of its model in memory for the image, by class name."""
    config = configs.load("digits_cnn", ["smoke=True", f"seed={seed}", f"background={background}", f"fit={fit}"])
    images = np.random.default_rng(1).integers(0, 256, (20, size, size, 3), np.uint8)
    source = data.from_arrays("mine", images, np.arange(20) % 3, class_names)
    run = runs.start(folder, runs.smoke(config), source)
    model = runs.build(run)
    model.network.set_weights([0 * weight for weight in model.network.get_weights()])  # to detect readers of the wrong weights
    model.classifier.head.kernel.assign(20 * model.classifier.head.kernel)  # an untrained network has low confidence
    model.classifier.temperature.assign(temperature)
    save(run, model)
    export.examples.write(folder, export.examples.of_classifier(model, source))
    image = folders.decoded(picture(), (size, size, 3), background=background, fit=fit)
    return dict(zip(class_names, model.classify(image[None])[0], strict=True))


def save(run, model):
    run.write()
    checkpoints = run.checkpoints(model)
    checkpoints.save()
    checkpoints.wait()


@pytest.fixture(scope="module")
def changed_runs(tmp_path_factory):
    """For each part the folder of a run in which this part is changed, with its exports, and the expected probabilities."""
    root = tmp_path_factory.mktemp("record")
    (root / "pictures").mkdir()
    (root / "pictures/one.png").write_bytes(picture())
    expected, commands, unchanged = {}, [], leave_a_run(root / "unchanged")
    for part, changes in PARTS.items():
        folder = root / part.replace(" ", "_")
        expected[part] = folder, leave_a_run(folder / "run", **changes)
        assert max(abs(value - unchanged.get(name, 1)) for name, value in expected[part][1].items()) > 0.05
        run = f"--workdir={folder / 'run'}"
        commands.append(("classify", run, f"--images={root / 'pictures'}", f"--output={folder / 'answers.csv'}"))
        formats = filter(installed, export.FORMATS)
        commands += [("export", run, f"--format={name}", f"--output={folder / name}") for name in formats]
    for code, _, errors in run_in_one_process(commands):
        assert (code, errors) == (0, [])
    return expected


def installed(format_name):
    return all(importlib.util.find_spec(name) for name in MODULES.get(format_name, ()))


def answer(reader, folder):
    """Returns the probabilities of a reader for the image, by class name."""
    if reader == "load":
        run = runs.open_run(folder / "run")
        image = folders.decoded(picture(), run.image_shape, background=run.config.background, fit=run.config.fit)
        return dict(zip(run.class_names, ganlib.load(folder / "run").classify(image[None])[0], strict=True))
    if reader == "classify":
        with (folder / "answers.csv").open() as file:
            (row,) = csv.DictReader(file)
        return {name: float(row[name]) for name in row if name not in ("file", "class", "probability")}
    if reader == "classify_files of saved_model":
        names = export.card.read(folder / "saved_model")["class_names"]
        classify_files = export.saved_model.read(folder / "saved_model")["classify_files"]
        result = classify_files(image_bytes=np.array([picture()], object))
        assert result["class"][0].decode() == names[result["probabilities"][0].argmax()]
        return dict(zip(names, result["probabilities"][0], strict=True))
    service = Service(folder / reader)
    request = {"inputs": {"image_bytes": [base64.b64encode(picture()).decode()]}}
    result = asyncio.run(service.call("classify_files", request))
    assert result["class"][0] == service.card["class_names"][result["probabilities"][0].argmax()]
    return dict(zip(service.card["class_names"], result["probabilities"][0], strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_uses_every_part(changed_runs, part, reader):
    if not installed(reader):
        pytest.skip(f"needs {', '.join(MODULES[reader])}")
    folder, expected = changed_runs[part]
    assert answer(reader, folder) == pytest.approx(expected, abs=5e-3)


def test_every_reader_of_a_gan_uses_its_averaged_weights(tmp_path):
    config = runs.smoke(configs.load("digits_dcgan", ["smoke=True"]))
    run = runs.start(tmp_path / "run", config, data.open("digits"))
    model = runs.build(run)
    model.generator.set_weights([0 * weight for weight in model.generator.get_weights()])
    model.ema_generator.set_weights(
        [3 * weight for weight in model.ema_generator.get_weights()]
    )  # large enough to be visible in uint8
    save(run, model)
    export.examples.write(tmp_path / "run", export.examples.of_gan(model))
    workdir = f"--workdir={tmp_path / 'run'}"
    commands = [
        ("generate", workdir, "--count=4", "--labels=3,7", "--seed=5", f"--output={tmp_path / 'images.npz'}"),
        ("export", workdir, f"--output={tmp_path / 'exported'}"),
    ]
    assert [(code, errors) for code, _, errors in run_in_one_process(commands)] == [(0, [])] * 2
    expected = model.generate(4, [3, 7, 3, 7], seed=5)
    assert expected.std() > 0.01
    read = export.saved_model.read(tmp_path / "exported")["generate_from_seed"]
    served = read(seed=np.int64(5), count=np.int64(4), labels=np.array([3, 7, 3, 7]))["images"]
    np.testing.assert_allclose(served, expected, atol=1e-6)
    np.testing.assert_array_equal(runs.load_gan(tmp_path / "run").generate(4, [3, 7, 3, 7], seed=5), expected)
    images = np.load(tmp_path / "images.npz")["images"]
    np.testing.assert_array_equal(images, ganlib.plots.to_uint8(expected))
