import csv
import json
import os
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.configs import digits_sgan
from ganlib import data, runs
from ganlib.training.callbacks import read_rows
from tests.end_to_end.jobs import finish, run, run_in_one_process, start

GAN = (
    "train_gan",
    "--config=experiments/configs/digits_dcgan.py",
    "--config.generator.width=8",
    "--config.discriminator.width=8",
)


def tensors(workdir, step):
    reader = tf.train.load_checkpoint(str(workdir / f"checkpoints/step_{step:08d}/weights"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "OBJECT_GRAPH" not in name}


def test_train_generate_and_resume(tmp_path):
    """Trains a GAN, generates images in every format, and resumes in a new process: 40 steps = 20 + 20, bit for bit."""
    uninterrupted, resumed = tmp_path / "uninterrupted", tmp_path / "resumed"
    processes = [
        start(*GAN, f"--workdir={uninterrupted}", "--config.steps=40"),
        start(*GAN, f"--workdir={resumed}", "--config.steps=20"),
    ]
    for process in processes:
        code, output, errors = finish(process)
        assert (code, errors) == (0, [])
        assert "report: " in output
    code, output, _ = run(*GAN, f"--workdir={resumed}", "--config.steps=40")
    assert code == 0
    assert f"resuming '{resumed}' from step 20" in output
    one, other = tensors(uninterrupted, 40), tensors(resumed, 40)
    assert set(one) == set(other)
    assert len(one) > 50  # networks, their average, and both optimizers' moments
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)
    assert read_rows(resumed / "metrics.jsonl") == read_rows(uninterrupted / "metrics.jsonl")
    assert (uninterrupted / "report.html").stat().st_size > 10_000
    assert json.loads((uninterrupted / "config.json").read_text())["generator"]["width"] == 8

    outputs = {name: tmp_path / name for name in ("grid.png", "images.npz", "folder")}
    command = ("generate", f"--workdir={uninterrupted}", "--count=6", "--seed=1", "--labels=3,7", "--truncation=0.8")
    kinds = [
        ("generate", f"--workdir={uninterrupted}", "--count=6", f"--output={tmp_path / kind}.npz", f"--kind={kind}", *more)
        for kind, more in (("interpolation", ["--standing_statistics"]), ("rejection", []))
    ]
    for code, output, errors in run_in_one_process([*((*command, f"--output={path}") for path in outputs.values()), *kinds]):
        assert (code, errors) == (0, [])
        assert re.search("[68] images", output)
    images = np.load(outputs["images.npz"])["images"]
    assert (images.shape, images.dtype) == ((6, 8, 8, 1), np.uint8)
    files = sorted(outputs["folder"].iterdir())
    assert len(files) == 6
    np.testing.assert_array_equal(np.asarray(Image.open(files[2])), images[2, ..., 0])
    assert Image.open(outputs["grid.png"]).size == (3 * 34 + 2, 2 * 34 + 2)
    assert np.load(tmp_path / "interpolation.npz")["images"].shape == (8, 8, 8, 1)
    assert np.load(tmp_path / "rejection.npz")["images"].shape == (6, 8, 8, 1)


@pytest.mark.slow
def test_evaluation_during_and_after_training(tmp_path):
    """Trains with FID, keeps the best checkpoint, evaluates the run, and evaluates a folder of its images."""
    workdir = tmp_path / "run"
    code, output, errors = run(
        *GAN,
        f"--workdir={workdir}",
        "--config.steps=20",
        "--config.metrics=fid",
        "--config.evaluate_every=10",
        "--config.evaluation_samples=300",
    )
    assert (code, errors) == (0, [])
    fids = {row["step"]: row["fid"] for row in read_rows(workdir / "metrics.jsonl") if "fid" in row}
    assert sorted(fids) == [10, 20]
    best = min(fids, key=fids.get)
    assert [p.name for p in (workdir / "best_checkpoint").iterdir()] == [f"step_{best:08d}"]

    names = "fid,kid,is,precision_recall,density_coverage,intra_fid,cas"
    (code, output, errors), (generate_code, _, _) = run_in_one_process(
        [
            ("evaluate", f"--workdir={workdir}", f"--metrics={names}", "--samples=300", "--best"),
            ("generate", f"--workdir={workdir}", "--count=20", f"--output={tmp_path / 'fake'}"),
        ]
    )
    assert (code, errors) == (0, [])
    assert generate_code == 0
    evaluation = json.loads((workdir / "evaluation.json").read_text())
    assert evaluation["results"]["fid"] == pytest.approx(fids[best], rel=0.2)
    assert evaluation["results"]["fid"] != fids[best], "the images that selected the checkpoint are not those of the result"
    selection = evaluation["selected_by"]
    assert (selection["metric"], selection["seed"], selection["samples"]) == ("fid", 0, 300)
    for key in ("features", "features_version", "real_content"):
        assert selection[key] == evaluation[key]
    assert {"kid", "inception_score", "precision", "coverage", "intra_fid", "cas", "cas_real"} < set(evaluation["results"])
    assert (evaluation["samples"], evaluation["step"], evaluation["seed"]) == (300, best, 1)
    assert evaluation["features"] == "in_domain:digits/train"
    assert re.search(r"fid +\d+\.\d{4}", output)
    assert Image.open(workdir / "neighbours.png").size == (4 * 34 + 2, 10 * 34 + 2)

    folder = f"folder:{tmp_path / 'fake'}"
    classifier = next(pathlib.Path(os.environ["GANLIB_CACHE"]).glob("in-domain_digits-train_*.keras"))
    command = (
        "evaluate",
        f"--real={folder}",
        f"--fake={folder}",
        f"--features=model:{classifier}",
        "--metrics=fid,precision_recall",
    )
    code, _, errors = run(*command, f"--output={tmp_path / 'folders.json'}")
    assert (code, errors) == (0, [])
    result = json.loads((tmp_path / "folders.json").read_text())
    assert result["results"]["fid"] == pytest.approx(0, abs=1e-3)
    assert result["results"]["precision"] == 1.0
    assert result["samples"] == 20


@pytest.mark.slow
def test_compare(tmp_path):
    """Two seeds of one config run in parallel. The second call only reads the results."""
    workdir = tmp_path / "compare"
    command = (
        "compare", "--configs=digits_dcgan", "--seeds=0,1", f"--workdir={workdir}", "--jobs=2", "--metrics=fid",
        "--samples=300", "--set=smoke=True", "--set=metrics=fid",
    )  # fmt: skip
    for times in (1, 2):
        code, output, errors = run(*command)
        assert (code, errors) == (0, [])
        assert output.count("experiments.train_gan") == (2 if times == 1 else 0)
    rows = json.loads((workdir / "results.json").read_text())["rows"]
    values = rows[0]["values"]["fid"]
    assert len(set(values)) == 2
    assert rows[0]["mean"]["fid"] == pytest.approx(np.mean(values))
    assert rows[1]["mean"]["fid"] < min(values)  # real test images
    assert (workdir / "results.md").read_text() in output
    assert Image.open(workdir / "fid.png").size[0] > 300


@pytest.mark.slow
def test_compare_classifiers(tmp_path):
    command = ("compare", "--configs=digits_cnn", "--labels=1,2", "--seeds=0", f"--workdir={tmp_path}", "--jobs=2",
               "--set=smoke=True")  # fmt: skip
    code, output, errors = run(*command)
    assert (code, errors) == (0, [])
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [row["labels_per_class"] for row in rows] == [1, 2]
    for row in rows:
        result = json.loads((tmp_path / f"digits_cnn_labels{row['labels_per_class']}_seed0/classification.json").read_text())
        assert row["mean"]["test_error"] == pytest.approx(100 - 100 * result["test_accuracy"])
    assert "1 labels per class" in output
    assert Image.open(tmp_path / "error.png").size[0] > 300
    code, _, errors = run("compare", "--configs=digits_cnn,digits_dcgan", f"--workdir={tmp_path}")
    assert (code, errors) == (2, ["error: cannot compare GANs with classifiers: pass --configs of one kind"])


@pytest.mark.parametrize("method", ["semi_supervised", pytest.param("supervised", marks=pytest.mark.slow)])
def test_train_classifier(tmp_path, method):
    config = "--config=experiments/configs/digits_sgan.py"
    code, output, errors = run(
        "train_classifier", config, f"--workdir={tmp_path}", f"--config.method={method}", "--config.smoke"
    )
    assert (code, errors) == (0, [])
    assert "test accuracy: " in output
    evaluation = json.loads((tmp_path / "classification.json").read_text())
    matrix = np.array(evaluation["confusion_matrix"])
    assert matrix.shape == (10, 10)
    assert matrix.sum() == 500
    assert evaluation["test_accuracy"] == pytest.approx(matrix.trace() / 500)
    classifier = keras.saving.load_model(tmp_path / "classifier.keras")
    assert classifier(np.zeros((2, 8, 8, 1), np.uint8)).shape == (2, 10)
    assert "confusion matrix" in (tmp_path / "report.html").read_text()
    assert Image.open(tmp_path / "mistakes.png").size[0] > 300


@pytest.mark.slow
def test_classify_a_folder(tmp_path):
    config = "--config=experiments/configs/digits_sgan.py"
    arguments = ("--config.method=supervised", "--config.steps=300", "--config.validation_per_class=10")
    code, _, errors = run("train_classifier", config, f"--workdir={tmp_path / 'run'}", *arguments)
    assert (code, errors) == (0, [])
    source, folder = data.open("digits", "test"), tmp_path / "new"
    folder.mkdir()
    for index, image in enumerate(source.images[:40]):
        gray = Image.fromarray(image[..., 0])
        (gray.convert("RGB") if index % 2 else gray).save(folder / f"{index:02d}.png")  # both color modes
    output = tmp_path / "predictions.csv"
    (code, text, errors), (code_without_run, _, errors_without_run) = run_in_one_process(
        [
            ("classify", f"--workdir={tmp_path / 'run'}", f"--images={folder}", f"--output={output}"),
            ("classify", f"--workdir={tmp_path}", f"--images={folder}"),
        ]
    )
    assert (code, errors) == (0, [])
    assert (code_without_run, len(errors_without_run)) == (2, 1)
    assert "40 images" in text
    with output.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [f"{index:02d}.png" for index in range(40)]
    expected = keras.saving.load_model(tmp_path / "run/classifier.keras").classify(source.images[:40])
    assert [row["class"] for row in rows] == [str(k) for k in expected.argmax(1)]
    np.testing.assert_allclose([[float(row[str(k)]) for k in range(10)] for row in rows], expected, atol=1e-4)
    assert np.mean(expected.argmax(1) == source.labels[:40]) > 0.6


@pytest.mark.slow
def test_demo(tmp_path):
    code, output, errors = run("demo", f"--workdir={tmp_path}", "--smoke")
    assert (code, errors) == (0, [])
    assert f"report: {tmp_path}/report.html" in output
    assert "semi-supervised GAN" in output
    page = (tmp_path / "report.html").read_text()
    assert page.count("<section>") == 8
    assert "http" not in page


@pytest.mark.slow
def test_benchmarks(tmp_path):
    (code, output, errors), metrics_outcome = run_in_one_process(
        [
            ("benchmark", "--smoke", f"--output={tmp_path / 'benchmark.json'}"),
            ("benchmark_metrics", "--count=20", "--features=4"),
        ]
    )
    assert (code, errors) == (0, [])
    result = json.loads((tmp_path / "benchmark.json").read_text())
    assert {row["name"] for row in result["rows"]} >= {"alternating", "simultaneous", "alternating, mixed_bfloat16"}
    assert all(row["images_per_second"] > 0 and row["fit_images_per_second"] > 0 for row in result["rows"])
    assert np.isfinite(result["checkpoint_seconds"])
    assert "matrix multiplication" in output

    code, output, errors = metrics_outcome
    assert (code, errors) == (0, [])
    *times, memory = output.splitlines()
    assert [line.split()[-1] for line in times] == ["s"] * 9
    assert memory.endswith("GiB")


CLASSIFIER = ("train_classifier", "--config=experiments/configs/digits_sgan.py")
TRAINING = {
    "unknown dataset": (["--config.dataset=mnits"], "unknown dataset 'mnits'.*Did you mean 'mnist'"),
    "missing folder": (["--config.dataset=folder:/nowhere"], "no folder at '/nowhere'"),
    "image size": (
        ["--config.image_size=22x30"],
        "dcgan cannot generate images of 22x30: both sides must be multiples of 4, such as 20x28$",
    ),
    "no image size": (["--config.image_size=64x"], "image_size must be one positive integer, or a height and a width .*'64x'$"),
    "unknown key": (["--config.stepz=3"], 'unknown config key: stepz. Did you mean "steps"'),
    "wrong type": (["--config.steps=abc"], "config.steps=abc: invalid literal"),
    "batch size 0": (["--config.batch_size=0"], "batch_size must be at least 1, got 0"),
    "batch size too large": (["--config.batch_size=5000"], "batch_size 5000 is larger than digits/train, which has 1297"),
    "non-finite loss": (["--config.generator_optimizer.learning_rate=1e30"], "training stopped at step 2: .* = nan"),
}
ERRORS = {name: ((*GAN, "--workdir={folder}", *arguments), message) for name, (arguments, message) in TRAINING.items()} | {
    "more labels than exist": (
        (*CLASSIFIER, "--workdir={folder}", "--config.labels_per_class=1000"),
        "class '.' of digits/train has 12. labels.*: set labels_per_class to at most 12., got 1000$",
    ),
    "evaluate nothing": (("evaluate",), "pass either --workdir, or both --real and --fake"),
    "evaluate no run": (("evaluate", "--workdir=/nowhere"), "no run in '/nowhere'"),
    "evaluate no folder": (("evaluate", "--real=digits", "--fake=folder:/nowhere"), "no folder at '/nowhere'"),
    "unknown metric": (("evaluate", "--real=digits", "--fake=digits", "--metrics=fdi"), "unknown metric 'fdi'"),
    "generate from nothing": (("generate", "--workdir={folder}"), "no run in"),
    "generate from a classifier": (("generate", "--workdir={folder}"), "is a classifier without a generator: pass"),
    "export nothing": (("export", "--workdir={folder}", "--output={folder}"), "no run in"),
    "quantize": (
        ("export", "--workdir={folder}", "--output={folder}", "--format=onnx", "--quantize=int8"),
        "--quantize=int8 requires --format=litert, got 'onnx'",
    ),
    "serve nothing": (("serve", "--export={folder}"), "no export in"),
    "name for a URL": (("serve", "--export={folder}", "--name=a/b"), "cannot be part of a URL"),
}


def write_classifier_run(folder):
    """Writes a run of a classifier without a generator, with one checkpoint."""
    config = digits_sgan.get_config()
    config.method, config.smoke = "supervised", True
    run_ = runs.start(folder, runs.smoke(config), runs.open_data(config))
    model = runs.build(run_)
    run_.write()
    checkpoints = run_.checkpoints(model)
    checkpoints.save()
    checkpoints.wait()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Returns the outcome of each case of `ERRORS`."""
    folder = tmp_path_factory.mktemp("errors")
    write_classifier_run(folder / "generate_from_a_classifier")
    commands = [
        [argument.format(folder=folder / name.replace(" ", "_")) for argument in arguments]
        for name, (arguments, _) in ERRORS.items()
    ]
    return dict(zip(ERRORS, run_in_one_process(commands), strict=True))


@pytest.mark.parametrize("case", ERRORS)
def test_invalid_input_is_one_line_and_a_status(outcomes, case):
    status, _, errors = outcomes[case]
    assert status == 2
    assert len(errors) == 1
    assert re.search(ERRORS[case][1], errors[0]), errors[0]
