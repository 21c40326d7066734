"""The output folder of the job. tests/end_to_end tests the images."""

import pathlib

import numpy as np
from PIL import Image

import ganlib
from experiments import configs, train_gan
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
