"""The examination of a run: its files, its report, resuming, and a training that stops."""

import json

import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import configs, train_gan
from ganlib import runs
from ganlib.diagnostics import callback, history, snapshot
from ganlib.files import read_rows
from ganlib.runs import examination, moving
from tests.end_to_end.jobs import run_in_one_process

MLP = ("networks=mlp", "generator.latent_dim=8", "penalties.r1.weight=1", "batch_size=16", "augment=", "conditional=False")


@pytest.fixture
def short(monkeypatch):
    """Trainings of a few steps are examined every second step."""
    for module in (callback, examination):
        monkeypatch.setattr(module, "SMALLEST_INTERVAL", 2)
    monkeypatch.setattr(history, "SHORTEST", 0)
    monkeypatch.setattr(snapshot, "COUNT", 40)


def config(*settings):
    config = configs.load("digits_dcgan", [])
    config.generator, config.discriminator = {}, {}
    for setting in (*MLP, *settings):
        key, value = setting.split("=")
        group = config
        *names, last = key.split(".")
        for name in names:
            group = group[name]
        group[last] = json.loads(value) if value[:1].isdigit() else {"True": True, "False": False}.get(value, value)
    return config


def rows_without_changes(path):
    """Returns the rows of a run without what is only known after an examination in the same process."""
    rows = read_rows(path / "diagnosis.jsonl")
    return [{key: value for key, value in row.items() if not key.startswith("dead_")} for row in rows]


def test_a_run_is_examined_while_it_trains(short, tmp_path, capsys):
    settings = ("steps=8", "checkpoint_every=4", "sample_every=4", "generator_optimizer.learning_rate=0.0")
    train_gan.train(config(*settings), tmp_path)
    assert [row["step"] for row in read_rows(tmp_path / "diagnosis.jsonl")] == [0, 2, 4, 6, 8]
    findings = json.loads((tmp_path / "diagnosis.json").read_text())["run"]
    assert {"exploding_or_dead_layers", "discriminator_dominates"} <= {finding["symptom"] for finding in findings}
    assert capsys.readouterr().out.count("exploding_or_dead_layers (confidence") == 1
    page = (tmp_path / "report.html").read_text()
    assert page.index("What the training shows") < page.index("<b>exploding_or_dead_layers</b>") < page.index("Examinations")
    assert "Moving pictures" in page
    assert page.count("data:image/webp") == 2
    assert "http-equiv" not in page, "the training is over"
    assert Image.open(tmp_path / "samples" / moving.WALK).n_frames > 20, "frames that are equal become one"
    assert Image.open(tmp_path / "diagnosis" / "discriminator_dominates_of_run.png").size[0] > 100
    events = b"".join(path.read_bytes() for path in (tmp_path / "tensorboard").iterdir())
    assert b"diagnosis/diversity" in events


def test_a_resumed_run_has_the_same_rows(short, tmp_path):
    settings = ("checkpoint_every=4", "sample_every=0")
    train_gan.train(config("steps=8", *settings), tmp_path / "whole")
    train_gan.train(config("steps=4", *settings), tmp_path / "parts")
    train_gan.train(config("steps=8", *settings), tmp_path / "parts", accept_new_config=True)
    whole, parts = (rows_without_changes(tmp_path / name) for name in ("whole", "parts"))
    assert [row["step"] for row in parts] == [0, 2, 4, 6, 8]
    assert parts == whole


def test_the_report_is_rewritten_while_a_run_trains(short, tmp_path, monkeypatch):
    pages = []
    monkeypatch.setattr(examination.report, "write", lambda path, *_, **settings: pages.append((path, settings)))
    train_gan.train(config("steps=8", "checkpoint_every=2"), tmp_path)
    assert pages[0] == (tmp_path / "report.html", {"reload_seconds": examination.RELOAD_SECONDS})


def test_a_training_that_is_not_finite(short, tmp_path):
    """Its symptoms are there although no examination was."""
    settings = ("steps=50", "loss=wasserstein", "generator_optimizer.learning_rate=1e30", "penalties.r1.weight=0")
    with pytest.raises(ganlib.UserError, match="training stopped at step"):
        train_gan.train(config(*settings), tmp_path)
    ((status, text, errors),) = run_in_one_process([("diagnose", f"--workdir={tmp_path}", "--format=json")])
    assert (status, errors) == (0, [])
    findings = {finding["symptom"]: finding for finding in json.loads(text)}
    assert findings["unstable"]["confidence"] == 1.0
    assert "not finite: training stopped at step" in findings["unstable"]["evidence"]


def test_runs_without_examinations_are_examined_afterwards(tmp_path, monkeypatch):
    train_gan.train(config("steps=2"), tmp_path / "run")
    assert not (tmp_path / "run" / "diagnosis.jsonl").exists()
    opened = runs.open_run(tmp_path / "run")
    assert examination.of_run(opened) == [], "it is too short to be judged"
    monkeypatch.setattr(history, "SHORTEST", 0)
    symptoms = [finding.symptom for finding in examination.of_run(opened)]
    assert "mode_collapse" in symptoms, "a generator of two steps"
    assert not (tmp_path / "run" / "diagnosis.jsonl").exists()


def test_held_out_images():
    digits = runs.open_data(config())
    assert len(examination.held_out(config(), digits).pixels) == 500, "the test split"
    few = config("labels_per_class=3")
    others = examination.held_out(few, digits)
    assert len(others.pixels) == 1297 - 30
    training = {image.tobytes() for image in runs.training_images(few, digits).images}
    assert not training & {image.tobytes() for image in others.images}
    assert len(examination.held_out(config("validation_per_class=2"), digits).pixels) == 20


def test_test_images_that_cannot_be_read_do_not_stop_a_training(tmp_path, capsys):
    """The GAN does not need them."""
    digits = runs.open_data(config())
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for index in range(4):
            Image.fromarray(digits.images[index, ..., 0]).save(tmp_path / split / f"{index}.png")
    (tmp_path / "test/1.png").write_bytes((tmp_path / "test/1.png").read_bytes()[:60])
    folder = config(f"dataset=folder:{tmp_path}", "image_size=8")
    assert examination.held_out(folder, runs.open_data(folder)) is None
    assert "note: the training is not compared with held-out images: " in capsys.readouterr().out


def test_progress_needs_grids(tmp_path):
    with pytest.raises(ganlib.UserError, match="no sample grids"):
        moving.progress(tmp_path, tmp_path / "a.gif")
    (tmp_path / "samples").mkdir()
    for step in (1, 2, 3):
        Image.fromarray(np.full((8, 8), 60 * step, np.uint8)).save(tmp_path / f"samples/step_{step:08d}.png")
    moving.progress(tmp_path, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        shown = [picture.seek(index) or np.asarray(picture.convert("L"))[0, 0] for index in range(picture.n_frames)]
    assert shown[:3] == [60, 120, 180]
