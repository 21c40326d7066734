import json
import shutil
import time

import keras
import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments.configs import base, digits_dcgan, digits_sgan
from ganlib import data, runs
from ganlib.files import read_rows
from tests.helpers import same, weights


def small(config=None, **changes):
    config = config or base.gan()
    config.smoke = True
    config.generator.update(width=8, latent_dim=8)
    config.discriminator.width = 8
    config.update(changes)
    return runs.smoke(config)


def trained(workdir, config=None, steps=2, **arguments):
    config = config or small()
    config.steps = steps
    source = data.open("digits")
    run = runs.start(workdir, config, source, **arguments)
    model = runs.build(run)
    runs.fit(run, model, lambda start: data.batches(source, 8, config.seed, start, with_labels=config.conditional))
    return model


def test_run_writes_its_files_and_can_be_loaded(tmp_path):
    gan = trained(tmp_path / "run")
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert names == {"config.json", "run.json", "metrics.jsonl", "speed.jsonl", "tensorboard", "checkpoints", "samples"}
    facts = json.loads((tmp_path / "run/run.json").read_text())
    assert facts["image_shape"] == [8, 8, 1]
    assert facts["keras"] == keras.__version__
    loaded = ganlib.load(tmp_path / "run")
    assert same(weights(gan), weights(loaded))
    np.testing.assert_array_equal(gan.generate(3), loaded.generate(3))
    loaded.fit(data.batches(data.open("digits"), 8, with_labels=False), steps_per_epoch=1, verbose=0)
    assert int(loaded.step.numpy()) == 3


@pytest.mark.parametrize("method", ["semi_supervised", "supervised"])
def test_classifiers_can_be_loaded(tmp_path, method):
    config = small(digits_sgan.get_config(), method=method)
    source = data.open("digits")
    run = runs.start(tmp_path, config, source)
    model = runs.build(run)

    def batches(start):
        if method == "supervised":
            return data.batches(source, 8, start_step=start)
        return data.semi_supervised_batches(source, source, 8, start_step=start)

    runs.fit(run, model, batches, samples=False)
    probabilities = model.classify(source.images[:5])
    np.testing.assert_array_equal(ganlib.load(tmp_path).classify(source.images[:5]), probabilities)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_run_can_be_loaded_in_another_precision_and_trained_further(tmp_path, precision):
    """Only float16 has loss scaling, which is part of the optimizers' state."""
    model = trained(tmp_path, small(precision=precision), steps=8)  # float16 skips updates until the loss scale has decreased
    loaded = ganlib.load(tmp_path, precision="float32")
    assert {layer.compute_dtype for layer in loaded.networks} == {"float32"}
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True))
    optimizer = getattr(model.discriminator_optimizer, "inner_optimizer", model.discriminator_optimizer)
    assert int(optimizer.iterations) > 0
    assert same(*([v.numpy() for v in each.variables] for each in (loaded.discriminator_optimizer, optimizer)))
    loaded.fit(data.batches(data.open("digits"), 8, with_labels=False), steps_per_epoch=1, verbose=0)
    assert int(loaded.step) == 9


def test_resumed_run_is_reported_and_equals_an_uninterrupted_run(tmp_path, capsys):
    # In one process; tests/end_to_end resumes in a new process.
    config = small(digits_dcgan.get_config())
    uninterrupted = trained(tmp_path / "uninterrupted", config, steps=4)
    trained(tmp_path / "resumed", config, steps=2)
    capsys.readouterr()
    resumed = trained(tmp_path / "resumed", config, steps=4)
    assert "resuming" in capsys.readouterr().out
    assert same(weights(uninterrupted), weights(resumed))
    trained(tmp_path / "resumed", config, steps=4)
    assert "is complete: it has 4 steps" in capsys.readouterr().out


def test_data_is_opened_according_to_the_config(tmp_path):
    from PIL import Image

    (tmp_path / "a").mkdir()
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / "a/clear.png")
    (tmp_path / "a/broken.png").write_text("no image")
    config = small(dataset=f"folder:{tmp_path}", image_size=8, skip_corrupt=True, background="red")
    source = runs.open_data(config)
    assert source.num_examples == 1
    assert (source.images == [255, 0, 0]).all()


def test_changed_config_is_refused_unless_accepted(tmp_path):
    trained(tmp_path)
    other = small(loss="hinge")
    other.generator_optimizer.learning_rate = 1e-3
    message = (
        "created with another config: generator_optimizer.learning_rate 0.0002 -> 0.001; loss .*hinge.*--accept_new_config"
    )
    with pytest.raises(ganlib.UserError, match=message):
        trained(tmp_path, other)
    assert json.loads((tmp_path / "config.json").read_text())["loss"] == "non_saturating"
    trained(tmp_path, other, steps=3, accept_new_config=True)
    assert json.loads((tmp_path / "config.json").read_text())["loss"] == "hinge"


def test_keys_that_do_not_affect_steps_may_differ(tmp_path):
    trained(tmp_path)
    trained(tmp_path, small(checkpoint_every=1, log_every=2, sample_every=9), steps=3)
    assert (tmp_path / "checkpoints/step_00000003").is_dir()


def test_failed_end_of_training_is_completed_on_the_next_start(tmp_path, capsys):
    """The last checkpoint is written first. The remaining work is done once, without duplicate rows."""
    config, source, calls = small(networks="mlp"), data.open("digits"), []
    config.update(log_every=3, evaluate_every=0, steps=2)

    def evaluate(model):
        calls.append(int(model.step))
        if len(calls) == 1:
            raise MemoryError
        return {"fid": 1.0}

    def train():
        run = runs.start(tmp_path, config, source)
        runs.fit(run, runs.build(run), lambda start: data.batches(source, 8, 0, start, with_labels=False), evaluate)

    with pytest.raises(MemoryError):
        train()
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step_00000002"]
    for _ in range(2):
        train()
        assert "is complete: it has 2 steps" in capsys.readouterr().out
        rows = [(row["step"], "fid" in row) for row in read_rows(tmp_path / "metrics.jsonl")]
        assert rows == [(2, False), (2, True)]
    assert calls == [2, 2]
    assert (tmp_path / "samples/interpolation.png").exists()
    assert [p.name for p in (tmp_path / "best_checkpoint").iterdir()] == ["step_00000002"]
    config.steps = 4
    train()
    rows = [(row["step"], "fid" in row) for row in read_rows(tmp_path / "metrics.jsonl")]
    assert rows == [(2, True), (3, False), (4, False), (4, True)]  # one mean over steps 1 to 3 again


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "hing"}, "unknown loss 'hing'"),
        (
            {"networks": "dcgann"},
            "unknown networks 'dcgann': known are biggan, dcgan, .*resnet, stylegan2, wide_resnet. Did you mean 'dcgan'",
        ),
        ({"precision": "half"}, "unknown precision 'half'"),
        ({"method": "gann"}, "unknown method 'gann'"),
        ({"augment": "colr"}, "unknown augmentation 'colr'"),
        ({"penalties": {"r9": {}}}, "unknown penalty 'r9'"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"steps": 15, "steps_per_execution": 10}, "steps=15 is not a multiple of steps_per_execution=10"),
    ],
)
def test_invalid_config_is_reported_before_anything_is_written(tmp_path, changes, message):
    config = base.gan()
    config.generator.update(width=8)
    config.discriminator.update(width=8)
    config.update(changes)
    with pytest.raises(ganlib.UserError, match=message):
        source = data.open("digits")
        run = runs.start(tmp_path / "run", config, source)
        runs.fit(run, runs.build(run), lambda start: data.batches(source, config.batch_size))
    assert not (tmp_path / "run").exists()


def test_folder_without_a_run(tmp_path):
    with pytest.raises(ganlib.UserError, match="no run in .*no config.json"):
        ganlib.load(tmp_path)
    trained(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(ganlib.UserError, match="has no checkpoint yet"):
        ganlib.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ganlib.UserError, match="config.json' is damaged"):
        ganlib.load(tmp_path)


def test_corrupt_image_found_in_training_is_reported(tmp_path, monkeypatch):
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(8):
        Image.fromarray(np.random.default_rng(index).integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{index}.jpg")
    content = (folder / "5.jpg").read_bytes()
    (folder / "5.jpg").write_bytes(content[: len(content) // 2])
    monkeypatch.setattr(data.source, "MEMORY_LIMIT", 10)
    config = small(dataset=f"folder:{folder}", image_size=8)
    source = data.open(config.dataset, image_size=8)
    run = runs.start(tmp_path / "run", config, source)
    with pytest.raises(ganlib.UserError, match=r"5.jpg': corrupt image"):
        runs.fit(run, runs.build(run), lambda start: data.batches(source, 8, start_step=start))


def test_model_is_evaluated_only_on_images_of_its_classes(tmp_path):
    """The labels of a model are numbers: after a folder was renamed they would refer to other classes."""
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.new("L", (8, 8), len(name)).save(tmp_path / "images" / name / "0.png")
    config = small()
    config.dataset = f"folder:{tmp_path / 'images'}"
    run = runs.start(tmp_path / "run", config, runs.open_data(config))
    run.write()
    assert runs.open_data_of(runs.open_run(tmp_path / "run")).class_names == ("a", "b")
    (tmp_path / "images/a").rename(tmp_path / "images/c")
    message = r"run' was trained on other data: class_names .*a.* -> .*c.*: restore the images that it was trained on"
    with pytest.raises(ganlib.UserError, match=message):
        runs.open_data_of(runs.open_run(tmp_path / "run"))


def test_checkpoints_are_complete_before_the_lock_is_released(tmp_path, monkeypatch):
    """An error ends training while a thread still writes a checkpoint."""
    config = small()
    run = runs.start(tmp_path, config, data.open("digits"))
    checkpoints = run.checkpoints(runs.build(run))
    write, locked_after = checkpoints._write, []

    def write_slowly(*arguments):
        time.sleep(0.5)
        write(*arguments)
        locked_after.append("pid" in (tmp_path / ".lock-1").read_text())

    monkeypatch.setattr(checkpoints, "_write", write_slowly)
    with pytest.raises(ganlib.UserError, match="not finite"), runs.writing(tmp_path):
        checkpoints.save()
        raise ganlib.UserError("the loss is not finite")
    assert locked_after == [True]
    assert checkpoints.steps() == [0]


def test_only_the_chief_holds_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(runs.folder.strategy, "is_chief", lambda distribution: False)
    with runs.writing(tmp_path / "run"):
        assert not (tmp_path / "run").exists()
