import json
import pathlib
import re

from experiments import configs, train_classifier, train_gan
from ganlib import export
from tests.end_to_end.jobs import finish, start

PAGE = pathlib.Path(__file__).parents[2] / "docs/production.md"


def test_export_writes_a_file_and_a_card_and_prints_the_difference(tmp_path, monkeypatch, capsys):
    """A GAN trained in mixed bfloat16 is exported as ONNX, a classifier as an int8 LiteRT file."""
    train_gan.train(configs.load("digits_dcgan", ["smoke=True", "precision=mixed_bfloat16"]), tmp_path / "gan")
    train_classifier.train(configs.load("digits_cnn", ["smoke=True"]), tmp_path / "classifier")
    processes = [
        start(
            "export",
            f"--workdir={tmp_path / 'gan'}",
            "--format=onnx",
            f"--output={tmp_path / 'exported/mnist_dcgan_onnx'}",
            "--licence=CC0",
        ),
        start(
            "export", f"--workdir={tmp_path / 'classifier'}", "--format=litert", "--quantize=int8", f"--output={tmp_path / 'b'}"
        ),
    ]
    outputs = [finish(process) for process in processes]
    assert [(code, errors) for code, _, errors in outputs] == [(0, [])] * 2
    assert "generate: largest difference" in outputs[0][1]
    assert all("examples from training: difference" in output for _, output, _ in outputs)
    assert {path.name for path in (tmp_path / "b").iterdir()} == {
        "network.tflite",
        "examples.npz",
        "model_card.json",
        "model_card.md",
    }
    card = card_of(tmp_path / "exported/mnist_dcgan_onnx")
    assert card["largest_difference"] < export.verification.TOLERANCE
    assert (card["name"], card["licence"], card["step"], card["image_range"]) == ("gan", "CC0", 2, "[-1, 1]")
    assert card["functions"]["generate"]["labels"] == {"shape": ["batch"], "dtype": "int64"}
    card = card_of(tmp_path / "b")
    assert card["measured"]["classification"]["tested_on"] == "test"
    assert "| `classify` | `images` | batch, 8, 8, 1 | uint8 |" in (tmp_path / "b/model_card.md").read_text()
    monkeypatch.chdir(tmp_path)
    script, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(script, {})
    assert "\n(10, 8, 8, 1) " in capsys.readouterr().out


def card_of(folder):
    return json.loads((folder / "model_card.json").read_text())
