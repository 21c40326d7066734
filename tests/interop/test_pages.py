"""Blocks of the documentation that need the packages of `make interop`, and are skipped elsewhere."""

import os
import subprocess
import sys

import pytest

from tests.end_to_end.jobs import run_in_one_process
from tests.end_to_end.pages import ROOT, python_blocks, skipped_blocks

MODULES = {"needs OpenCV 5": "cv2", "needs PyTorch": "torch"}
EXPORTS = {
    "needs OpenCV 5": ("train_classifier", "digits_cnn", "onnx", "exported/cifar10_cnn"),
    "needs PyTorch": ("train_gan", "digits_dcgan", "keras", "exported/mnist_dcgan_keras"),
}
"""Maps a reason to the export that the block reads: the job, its config, the format and the folder."""

BEFORE = {"needs OpenCV 5": "import numpy as np\nimages = np.zeros((4, 8, 8, 1), 'uint8')\n", "needs PyTorch": ""}
AFTER = {
    "needs OpenCV 5": "assert probabilities.shape == (4, 10) and abs(probabilities.sum(1) - 1).max() < 1e-4\n",
    "needs PyTorch": "assert keras.backend.backend() == 'torch' and tuple(images.shape) == (16, 8, 8, 1)\n",
}


def test_every_skipped_block_is_listed():
    assert {reason for _, reason in skipped_blocks()} == set(MODULES)


@pytest.mark.slow
@pytest.mark.parametrize("reason", MODULES)
def test_skipped_block_runs_with_its_framework(reason, tmp_path):
    pytest.importorskip(MODULES[reason])
    job, config, kind, folder = EXPORTS[reason]
    results = run_in_one_process([
        (job, f"--config=experiments/configs/{config}.py", f"--workdir={tmp_path / 'run'}", "--config.smoke"),
        ("export", f"--workdir={tmp_path / 'run'}", f"--format={kind}", f"--output={tmp_path / folder}"),
    ])  # fmt: skip
    assert [result[::2] for result in results] == [(0, [])] * 2
    (block,) = [block for block in python_blocks() if block.reason == reason]
    code = BEFORE[reason] + block.text + "\n" + AFTER[reason]
    backend = {"KERAS_BACKEND": "torch"} if MODULES[reason] == "torch" else {}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), **backend},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
