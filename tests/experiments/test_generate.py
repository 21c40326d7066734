"""The output folder of the job. tests/end_to_end tests the images."""

import pathlib

import numpy as np
from PIL import Image

import ganlib
from experiments import configs, train_gan
from experiments.configs import base
from ganlib import plots
from tests.end_to_end.jobs import run_in_one_process


def test_folder_holds_only_the_images_of_the_last_call(tmp_path):
    train_gan.train(configs.load("digits_dcgan", ["smoke=True"]), tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")
    command = ("generate", f"--workdir={tmp_path / 'run'}")
    first, second, refused, unknown = run_in_one_process(
        [
            (*command, "--count=9", f"--output={tmp_path / 'images'}"),
            (*command, "--count=3", "--seed=1", f"--output={tmp_path / 'images'}"),
            (*command, "--count=3", f"--output={tmp_path / 'mine'}"),
            (*command, "--count=3", f"--output={tmp_path / 'images.jpg'}"),
        ]
    )
    assert [(code, errors) for code, _, errors in (first, second)] == [(0, [])] * 2
    files = sorted((tmp_path / "images").iterdir())
    assert [path.name for path in files] == ["000000.png", "000001.png", "000002.png"]
    expected = plots.to_uint8(ganlib.load(tmp_path / "run").generate(3, seed=1))
    np.testing.assert_array_equal([np.asarray(Image.open(path)) for path in files], expected[..., 0])
    assert refused[0] == 2
    assert "holds 'notes.txt', which this job did not write: pass a new folder" in refused[2][0]
    assert (tmp_path / "mine/notes.txt").read_text() == "keep"
    assert (unknown[0], len(unknown[2])) == (2, 1)
    assert not [path for path in pathlib.Path(tmp_path).iterdir() if "partial" in path.name or "replaced" in path.name]


def mlp_config():
    """Returns the config of a GAN whose images differ from each other also without training."""
    config = base.gan()
    config.update(networks="mlp", steps=2, batch_size=16, conditional=True)
    return config


def test_moving_pictures(tmp_path):
    train_gan.train(mlp_config(), tmp_path / "run")
    command = ("generate", f"--workdir={tmp_path / 'run'}")
    results = run_in_one_process(
        [
            (*command, f"--walk={tmp_path / 'walk.gif'}", "--count=3", "--labels=3,5", "--frames=8"),
            (*command, f"--walk={tmp_path / 'stops.webp'}", "--stops=1,0", "--frames=6"),
            (*command, f"--progress={tmp_path / 'progress.gif'}"),
            (*command, f"--walk={tmp_path / 'walk.avi'}"),
            (*command, "--stops=1,0"),
            (*command, f"--walk={tmp_path / 'x.gif'}", "--kind=langevin"),
            (*command, f"--walk={tmp_path / 'x.gif'}", "--stops=-1"),
        ]
    )
    assert [(code, errors) for code, _, errors in results[:3]] == [(0, [])] * 3
    assert [code for code, _, _ in results[3:]] == [2] * 4
    messages = (
        "must end in .gif, .webp, .mp4",
        "--stops requires --walk",
        "--walk requires --kind=samples",
        "not a list of image",
    )
    for (_, _, errors), message in zip(results[3:], messages, strict=True):
        assert len(errors) == 1
        assert message in errors[0]
    with Image.open(tmp_path / "walk.gif") as walk:
        assert walk.info["loop"] == 0
        assert walk.n_frames == 8
    with Image.open(tmp_path / "stops.webp") as stops:
        first = np.asarray(stops.convert("L"), int)
    others = ganlib.load(tmp_path / "run").generate(2, labels=[0, 0], seed=0)
    differences = [np.abs(np.asarray(plots.image_grid(image[None]), int) - first).mean() for image in others]
    assert 4 * differences[1] < differences[0], "the first frame is image 1 of the seed"
