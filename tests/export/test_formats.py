"""Every network is exported to every format, read back and compared."""

import itertools
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import export
from ganlib.networks import (
    Classifier,
    biggan,
    dcgan,
    fastgan,
    improved_conv,
    instance,
    mlp,
    multiscale,
    r3gan,
    resnet,
    stylegan2,
)

SHAPE, WIDE = (16, 16, 3), (16, 24, 3)
GENERATORS = {
    "mlp": lambda: mlp.Generator(SHAPE, 8, width=16),
    "dcgan": lambda: dcgan.Generator(SHAPE, 8, 8, num_classes=3),
    "resnet": lambda: resnet.Generator(SHAPE, 8, 8, num_classes=3),
    "biggan": lambda: biggan.Generator(SHAPE, 30, width=8, num_classes=3),
    "stylegan2": lambda: stylegan2.Generator(SHAPE, 8, width=8, num_classes=3),
    "r3gan": lambda: r3gan.Generator(SHAPE, 8, width=16, num_classes=3, blocks=1, group_width=8),
    "multiscale": lambda: multiscale.Generator(SHAPE, 8, 8, num_classes=3),
    "fastgan": lambda: fastgan.Generator(SHAPE, 8, width=8),
    "improved_conv": lambda: improved_conv.Generator(SHAPE, 8, width=4, uniform_latents=True),
    "dcgan, wide": lambda: dcgan.Generator(WIDE, 8, 8, num_classes=3),
    "stylegan2, wide": lambda: stylegan2.Generator(WIDE, 8, width=8),
    "instance": lambda: instance.Generator(dcgan.Generator(SHAPE, 12, 8), 5, num_instances=4, embedding_dim=4),
}
MODULES = {"onnx": ["onnx", "tf2onnx", "onnxruntime"], "litert": ["ai_edge_litert"]}


def written(format_name, functions, network, folder):
    for name in MODULES.get(format_name, ()):
        pytest.importorskip(name)
    form = export.FORMATS[format_name]
    form.write(functions, network, folder / form.NAME)
    return form.read(folder / form.NAME)


@pytest.mark.parametrize(
    ("network", "format_name"),
    [
        *(pytest.param(name, kind, marks=() if name.startswith("dcgan") else pytest.mark.slow)
          for name, kind in itertools.product(GENERATORS, ["onnx", "litert"])),
        *itertools.product(["dcgan", "dcgan, wide", "instance"], ["saved_model", "keras"]),
    ],
)  # fmt: skip
def test_generator(network, format_name, tmp_path):
    generator = GENERATORS[network]()
    functions = export.functions.of_generator(generator)
    if network in ("biggan", "fastgan"):  # untrained singular vectors make all pixels black or white
        for _ in range(5):
            generator(*functions[0].example(4, np.random.default_rng(0)).values(), training=True)
    differences = export.verification.differences(functions, written(format_name, functions, generator, tmp_path))
    export.verification.check(differences)
    assert differences.keys() == (
        {"generate", "generate_from_seed", "latents_from_seed"} if format_name == "saved_model" else {"generate"}
    )


@pytest.mark.parametrize("shape", [SHAPE, WIDE])
@pytest.mark.parametrize("format_name", export.FORMATS)
def test_classifier_with_its_temperature(format_name, shape, tmp_path):
    classifier = Classifier(dcgan.Discriminator(shape, 8).body, shape, 3)
    classifier.temperature.assign(0.5)
    functions = export.functions.of_classifier(classifier, ["a", "b", "c"])
    read = written(format_name, functions, classifier, tmp_path)
    export.verification.check(export.verification.differences(functions, read))
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
    np.testing.assert_allclose(read["classify"](images=images)["probabilities"], classifier.classify(images), atol=1e-5)


def test_images_of_a_seed_equal_those_of_the_gan(tmp_path):
    gan = ganlib.GAN(GENERATORS["dcgan"](), dcgan.Discriminator(SHAPE, 8, num_classes=3))
    functions = export.functions.of_generator(gan.ema_generator)
    read = written("saved_model", functions, gan.ema_generator, tmp_path)
    images = read["generate_from_seed"](seed=np.int64(7), count=np.int64(4), labels=np.array([2]))["images"]
    np.testing.assert_allclose(images, gan.generate(4, 2, seed=7), atol=1e-6)


def test_saved_model_has_a_default_signature_and_decodes_files(tmp_path):
    classifier = Classifier(dcgan.Discriminator((8, 8, 1), 8).body, (8, 8, 1), 3)
    functions = export.functions.of_classifier(classifier, ["a", "b", "c"])
    read = written("saved_model", functions, classifier, tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
    expected = read["classify"](images=image[None])["probabilities"]
    np.testing.assert_array_equal(read["serving_default"](images=image[None])["probabilities"], expected)
    wide = np.repeat(np.pad(image, ((0, 0), (5, 5), (0, 0))), 3, axis=-1)  # in color; its center is cropped
    contents = [tf.io.encode_png(image).numpy(), tf.io.encode_png(wide).numpy()]
    result = read["classify_files"](image_bytes=np.array(contents, object))
    np.testing.assert_allclose(result["probabilities"], expected.repeat(2, axis=0), atol=1e-6)
    assert result["class"][0].decode() == "abc"[expected[0].argmax()]


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_quantized_litert_is_smaller_and_close(quantize, tmp_path):
    pytest.importorskip("ai_edge_litert")
    classifier = Classifier(dcgan.Discriminator(SHAPE, 16).body, SHAPE, 3)
    functions = export.functions.of_classifier(classifier, ["a", "b", "c"])
    examples = functions[0].example(20, np.random.default_rng(0))
    export.litert.write(functions, classifier, tmp_path / "float32.tflite")
    export.litert.write(functions, classifier, tmp_path / "quantized.tflite", quantize, examples)
    sizes = [(tmp_path / name).stat().st_size for name in ("float32.tflite", "quantized.tflite")]
    assert sizes[1] < {"float16": 0.6, "int8": 0.4}[quantize] * sizes[0]
    differences = export.verification.differences(functions, export.litert.read(tmp_path / "quantized.tflite"))
    assert 0 < differences["classify"] < 0.05


def test_differences_are_refused():
    generator = GENERATORS["mlp"]()
    functions = export.functions.of_generator(generator)
    read = {"generate": lambda latents: {"images": generator(latents).numpy() + 1e-3}}
    with pytest.raises(ganlib.UserError, match=r"differs from the network: 'generate' by 1\.0e-03"):
        export.verification.check(export.verification.differences(functions, read))
    for wrong_size in (1, 3):  # wrong only for one batch size
        factor = lambda latents, wrong_size=wrong_size: np.nan if len(latents) == wrong_size else 1.0  # noqa: E731
        read = {"generate": lambda latents: {"images": factor(latents) * generator(latents).numpy()}}  # noqa: B023
        with pytest.raises(ganlib.UserError, match="'generate' by nan"):
            export.verification.check(export.verification.differences(functions, read))
    with pytest.raises(ganlib.UserError, match="has shape"):
        export.verification.differences(functions, {"generate": lambda latents: {"images": np.zeros((1, 16, 16, 3))}})
    with pytest.raises(ganlib.UserError, match="the export has no function that can be compared"):
        export.verification.differences(functions, {})


@pytest.mark.parametrize("format_name", ["onnx", "litert", "keras", "saved_model"])
def test_failed_write_leaves_the_previous_export(format_name, tmp_path, monkeypatch):
    for name in MODULES.get(format_name, ()):
        pytest.importorskip(name)
    generator, form = GENERATORS["mlp"](), export.FORMATS[format_name]
    functions = export.functions.of_generator(generator)
    form.write(functions, generator, tmp_path / form.NAME)
    before = contents(tmp_path)

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(pathlib.Path, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        form.write(functions, generator, tmp_path / form.NAME)
    assert contents(tmp_path) == before


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
