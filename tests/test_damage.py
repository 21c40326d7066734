"""Damaged files in a run folder: the job resumes from intact files, or refuses with a one-line error, and repairs the rest."""

import shutil

import keras
import pytest
from PIL import Image

import ganlib
from experiments import configs, train_classifier, train_gan
from ganlib import data, export, runs
from ganlib.files import read_measures, read_rows
from ganlib.runs import report
from tests.helpers import same, slow_beyond, weights
from tests.runs.test_folder import small

SCORES = {1: 5.0, 2: 4.0, 3: 3.0, 4: 2.0}


def truncated(path, older):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path, older):
    path.write_bytes(b"")


def flipped(path, older):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x90
    path.write_bytes(content)


def removed(path, older):
    path.unlink()


def replaced_by_an_older(path, older):
    shutil.copy(older, path)


DAMAGES = (truncated, emptied, flipped, removed, replaced_by_an_older)
PAIRS = (  # tests/training/test_checkpoint.py damages every file of a checkpoint
    (truncated, "weights.index"), (emptied, "weights.data-00000-of-00001"), (flipped, "weights.data-00000-of-00001"),
    (removed, "weights.index"), (replaced_by_an_older, "weights.data-00000-of-00001"),
)  # fmt: skip


def config_of(steps):
    config = small(networks="mlp")
    config.update(steps=steps, log_every=1, checkpoint_every=1, sample_every=1, evaluate_every=1)
    return config


def train(workdir, steps):
    """Trains like `experiments.train_gan`, with an evaluation that takes no time."""
    config = config_of(steps)
    with runs.writing(workdir):
        source = data.open("digits")
        run = runs.start(workdir, config, source)
        model = runs.build(run)
        evaluate = lambda model: {"fid": SCORES[int(model.step)]}  # noqa: E731
        runs.fit(run, model, lambda step: data.batches(source, 8, 0, step, with_labels=False), evaluate)
        report.write(run.folder / "report.html", [run.folder], title="GAN")
    return model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A run of 3 steps, a copy of it after step 2, and the weights after 4 uninterrupted steps."""
    folder = tmp_path_factory.mktemp("damage")
    train(folder / "older", 2)
    shutil.copytree(folder / "older", folder / "run")
    train(folder / "run", 3)
    return folder, weights(train(folder / "uninterrupted", 4))


def older_of(path, folder):
    """Returns the corresponding file in the run after step 2."""
    name = str(path.relative_to(folder / "run")).replace("step_00000003", "step_00000002")
    older = folder / "older" / name
    return older if older.exists() else next((folder / "older/tensorboard").iterdir())


@pytest.mark.parametrize(("damage", "weights_file"), PAIRS)
def test_damage_to_all_files_at_once_costs_at_most_one_step(original, tmp_path, caplog, damage, weights_file):
    shutil.copytree(original[0], tmp_path, dirs_exist_ok=True)
    run = tmp_path / "run"
    names = ["metrics.jsonl", "speed.jsonl", "report.html", "samples/*", "tensorboard/*", f"*/step_00000003/{weights_file}"]
    for path in [path for name in names for path in sorted(run.glob(name))]:
        damage(path, older_of(path, tmp_path))
    model = train(run, 4)
    assert same(weights(model), original[1])
    for best in (False, True):
        assert same(weights(ganlib.load(run, best)), original[1])
    assert (run / "checkpoints/step_00000003.damaged").is_dir()
    steps = [row["step"] for row in read_rows(run / "metrics.jsonl") if "fid" not in row]
    assert steps[-2:] == [3, 4]
    assert sorted(set(steps)) == steps
    if steps[:2] != [1, 2]:
        assert "rows up to step 2 were lost or changed" in caplog.text
    assert "step_00000003 is damaged and was skipped" in caplog.text
    assert {p.name for p in (run / "samples").iterdir()} >= {"step_00000003.png", "step_00000004.png", "interpolation.png"}
    for step in (3, 4):
        Image.open(run / f"samples/step_0000000{step}.png").load()
    assert "</html>" in (run / "report.html").read_text()


@pytest.mark.parametrize("name", ["config.json", "run.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_config_or_facts_are_refused_or_written_again(original, tmp_path, damage, name):
    shutil.copytree(original[0], tmp_path, dirs_exist_ok=True)
    path = tmp_path / "run" / name
    damage(path, older_of(path, tmp_path))
    config = config_of(steps=4)
    if damage in (truncated, emptied):
        with pytest.raises(ganlib.UserError, match=f"{name}' is damaged: it is not JSON; restore it or choose another"):
            runs.start(tmp_path / "run", config, data.open("digits"))
    elif damage is not flipped:  # a flipped bit may give valid JSON with another config or other data, which is refused
        runs.start(tmp_path / "run", config, data.open("digits"))


def test_any_flipped_bit_of_the_config_or_the_facts_is_refused_or_harmless(original, tmp_path):
    shutil.copytree(original[0], tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "run/config.json", tmp_path / "run/run.json"):
        content = path.read_bytes()
        for position in range(0, len(content), 7):
            path.write_bytes(content[:position] + bytes([content[position] ^ 0x90]) + content[position + 1 :])
            try:
                run = runs.start(tmp_path / "run", config_of(steps=4), data.open("digits"))
            except ganlib.UserError as error:
                assert len(str(error).splitlines()) == 1  # noqa: PT017
            else:
                assert not run.differences.refusal
        path.write_bytes(content)


TRAINING_FILES = {"config.json", "run.json", "metrics.jsonl", "speed.jsonl", "checkpoints", "samples", "tensorboard"}
"""The files that the tests above damage, except the best checkpoint."""


@pytest.mark.parametrize("job", slow_beyond([train_gan, train_classifier], 1), ids=["gan", "classifier"])
def test_files_of_the_end_of_training_are_written_again(tmp_path, job):
    """The test lists every file in a folder, so that a new file needs a test."""
    name, final_files = ("digits_dcgan", set()) if job is train_gan else ("digits_cnn", {
        "classifier.keras", "classification.json", "mistakes.png"
    })  # fmt: skip
    config = configs.load(name, ["smoke=True"])
    final_files = final_files | {"examples.npz", "report.html", "diagnosis.json"}
    job.train(config, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - TRAINING_FILES == final_files | {".lock-1"}
    examples = export.examples.read(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"step": 2')
    for damage in (truncated, emptied, flipped):
        for file in final_files:
            damage(tmp_path / file, None)
        job.train(config, tmp_path)
        rewritten = export.examples.read(tmp_path)
        assert all(same([value], [rewritten.outputs[key]]) for key, value in examples.outputs.items())
        assert "</html>" in (tmp_path / "report.html").read_text()
        if job is train_classifier:
            assert keras.saving.load_model(tmp_path / "classifier.keras").image_shape == (8, 8, 1)
            assert read_measures(tmp_path / "classification.json")["test_images"] > 0
            Image.open(tmp_path / "mistakes.png").load()
