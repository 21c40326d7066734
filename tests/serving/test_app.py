"""The service over HTTP, with small networks, compared with the exported functions."""

import base64
import io
import json
import re
import shutil
import zlib

import keras
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi")
from starlette.testclient import TestClient

import ganlib
from ganlib import export
from ganlib.networks import Classifier, dcgan
from ganlib.serving import app

SHAPE = (8, 8, 1)


def exported(folder, functions, network):
    """Writes what `experiments.export` writes, without the parts of the card that come from a run."""
    export.saved_model.write(functions, network, folder)
    card = {"format": "saved_model", "class_names": list("abc"), "image_shape": SHAPE, "step": 1, "data": "mine",
            "background": "black",
            "functions": {function.name: export.card.function_record(function) for function in functions}}  # fmt: skip
    (folder / "model_card.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    keras.utils.set_random_seed(0)
    network = dcgan.Generator(SHAPE, 4, 8, num_classes=3)
    return exported(tmp_path_factory.mktemp("generator"), export.functions.of_generator(network), network)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    keras.utils.set_random_seed(0)
    network = Classifier(dcgan.Discriminator(SHAPE, 8).body, SHAPE, 3)
    return exported(tmp_path_factory.mktemp("classifier"), export.functions.of_classifier(network, list("abc")), network)


def predict(client, body, name="m"):
    return client.post(f"/v1/models/{name}:predict", json=body)


def test_classifier_without_examples_is_served_with_a_warning(classifier, generator, caplog):
    app.create(generator, "m")
    assert not caplog.text
    app.create(classifier, "m")
    assert "has no examples.npz and may not be calibrated" in caplog.text


def test_generator_answers_like_its_export(generator):
    read = export.saved_model.read(generator)
    with TestClient(app.create(generator, "m", max_rows=8)) as client:
        latents = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
        labels = np.array([0, 2, 1])
        expected = read["generate"](latents=latents, labels=labels)["images"]
        rows = [{"latents": each.tolist(), "labels": int(label)} for each, label in zip(latents, labels, strict=True)]
        answers = [
            predict(client, {"instances": rows}).json()["predictions"],
            predict(client, {"inputs": {"latents": latents.tolist(), "labels": labels.tolist()}}).json()["outputs"],
        ]
        for answer in answers:
            np.testing.assert_allclose(answer, expected, atol=1e-6)
        inputs = {"seed": 3, "count": 2, "labels": [1]}
        answer = predict(client, {"signature_name": "generate_from_seed", "inputs": inputs}).json()["outputs"]
        seeds = {"seed": np.int64(3), "count": np.int64(2)}
        images = read["generate_from_seed"](**seeds, labels=np.array([1]))["images"]
        np.testing.assert_allclose(answer, images, atol=1e-6)
        files = client.post("/images", json={"signature_name": "generate_from_seed", "inputs": inputs}).json()["images"]
        content = base64.b64decode(files[1].partition(",")[2])
        np.testing.assert_array_equal(Image.open(io.BytesIO(content)), ganlib.plots.to_uint8(images[1, ..., 0]))
        metrics = client.get("/metrics").text
        assert 'ganlib_requests_total{function="generate",status="200"} 2.0' in metrics
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/v1/models/m").json()["model_version_status"][0]["state"] == "AVAILABLE"
        assert client.get("/v1/models/m/metadata").json()["max_rows"] == 8
        page = client.get("/").text
        assert 'const model = "m"' in page
        assert "http" not in page


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def test_classifier_accepts_files_of_any_size_and_color(classifier):
    read = export.saved_model.read(classifier)
    image = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    expected = read["classify"](images=image[None, ..., None])["probabilities"][0]
    wide = np.repeat(np.pad(image, ((0, 0), (5, 5)))[..., None], 3, axis=-1)
    contents = [base64.b64encode(png(each)).decode() for each in (image, wide)]
    with TestClient(app.create(classifier, "m")) as client:
        body = {"signature_name": "classify_files", "instances": [{"b64": content} for content in contents]}
        for answer in predict(client, body).json()["predictions"]:
            np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
            assert answer["class"] == "abc"[expected.argmax()]
        answer = client.post("/images", json={"instances": image[None, ..., None].tolist()})
        assert (answer.status_code, answer.json()) == (400, {"error": "'classify' does not generate images"})
        answer = predict(client, {"instances": image[None, ..., None].tolist()}).json()["predictions"]
        np.testing.assert_allclose(answer, expected[None], atol=1e-6)


def bomb():
    """Returns a PNG file of a few kB that declares 60,000 by 60,000 pixels."""

    def chunk(kind, content):
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = (60_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")


HOSTILE = {
    "bomb": (bomb(), "is too large|decompression bomb"),
    "cut off": (png(np.random.default_rng(0).integers(0, 256, (50, 50), np.uint8))[:800], "cannot be read"),
    "text": (b"hello", "not a PNG, JPEG, BMP or GIF file"),
    "empty": (b"", "not a PNG, JPEG, BMP or GIF file"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file_is_answered_with_one_line(classifier, case):
    content, message = HOSTILE[case]
    with TestClient(app.create(classifier, "m")) as client:
        answer = predict(
            client, {"signature_name": "classify_files", "instances": [{"b64": base64.b64encode(content).decode()}]}
        )
        assert answer.status_code == 400
        assert re.search(message, answer.json()["error"])


def test_invalid_request_is_4xx(generator, monkeypatch):
    monkeypatch.setattr(app, "MAX_BODY_BYTES", 1000)
    with TestClient(app.create(generator, "m")) as client:
        answer = predict(client, {"signature_name": "nothing", "instances": [1]})
        assert (answer.status_code, answer.json()["error"].startswith("unknown function 'nothing'")) == (400, True)
        assert predict(client, {"signature_name": ["x"], "instances": [1]}).status_code == 400
        assert client.post("/v1/models/m:predict", content=b"{" * 5).status_code == 400
        assert client.post("/v1/models/m:predict", content=b" " * 1001).status_code == 413
        assert client.post("/images", content=b" " * 1001).status_code == 413
        answer = client.post("/v1/models/other:predict", json={})
        assert (answer.status_code, answer.json()) == (
            404,
            {
                "error": "no route '/v1/models/other:predict': this service serves the model 'm' at /v1/models/m:predict, "
                "/v1/models/m and /"
            },
        )
        answer = client.get("/v1/models/m:predict")
        assert (answer.status_code, answer.json()) == (405, {"error": "'/v1/models/m:predict' accepts POST, not GET"})


def test_full_queue_is_429(generator):
    with TestClient(app.create(generator, "m", max_rows=4, max_waiting=2)) as client:
        answer = predict(client, {"inputs": {"latents": [[0] * 4] * 3, "labels": [0] * 3}})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_folder_without_an_export(tmp_path):
    with pytest.raises(ganlib.UserError, match="no export in"):
        app.create(tmp_path, "m")


def test_export_that_differs_from_the_trained_model_is_not_served(classifier, tmp_path):
    """For example, the file of another model in the folder: its card would match its functions."""
    read = export.saved_model.read(classifier)
    images = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8)
    outputs = read["classify"](images=images)
    shutil.copytree(classifier, tmp_path / "m")
    for shift, refused in ((0.0, False), (0.01, True)):
        shifted = {"probabilities": outputs["probabilities"] + shift}
        export.examples.write(tmp_path / "m", export.examples.Examples(1, export.examples.EXACT, {"images": images}, shifted))
        if refused:
            with pytest.raises(ganlib.UserError, match=r"is not the model that was trained: .* differs by 1\.0e-02"):
                app.create(tmp_path / "m", "m")
        else:
            app.create(tmp_path / "m", "m")
