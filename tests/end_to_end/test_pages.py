"""The Python code of the documentation, run like a reader runs it: in a fresh process."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ganlib import data
from tests.end_to_end.jobs import TIMEOUT, run, run_in_one_process
from tests.end_to_end.pages import ROOT, commands, python_blocks, scripts, skipped_blocks
from tests.interop import states, torch_files

SCRIPTS = scripts()
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
"""A proxy that does not exist makes downloads fail."""


def python(code, folder):
    """Runs code as a script in a folder, without network access, and returns its output."""
    (folder / "script.py").write_text(re.sub(r"steps_per_epoch=\d+", "steps_per_epoch=2", code))
    environment = {**os.environ, **OFFLINE, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout


def test_pages_have_scripts():
    assert {"README.md", "docs/installation.md", "docs/extending.md", "docs/index.md", "docs/production.md"} <= set(SCRIPTS)


@pytest.mark.parametrize(("page", "reason"), skipped_blocks())
def test_skipped_blocks(page, reason):
    """Lists the blocks that are not run in pytest's summary."""
    pytest.skip(f"a block of {page}: {reason}")


def test_installation_prints_the_version_and_the_shape(tmp_path):
    assert re.fullmatch(r"\d+\.\d+\.\d+ \(8, 8, 1\)\n", python(SCRIPTS["docs/installation.md"], tmp_path))


RESUME = """
gan.fit(ganlib.data.batches(source, 64, with_labels=False, start_step=2), steps_per_epoch=2)
variables = [*gan.weights, *gan.generator_optimizer.variables, *gan.discriminator_optimizer.variables]
np.savez(name, gan.generate(64, seed=0), *[variable.numpy() for variable in variables])
"""


def test_code_of_the_readme_trains_and_saves_and_another_process_resumes_bit_for_bit(tmp_path):
    page = SCRIPTS["README.md"] + (
        "import numpy as np\n"
        "assert (images.shape, str(images.dtype)) == ((64, 8, 8, 1), 'float32') and -1 <= images.min() < images.max() <= 1\n"
        "name = 'here.npz'\n"
    )
    python(page + RESUME, tmp_path)
    assert Image.open(tmp_path / "digits.png").size[0] > 100
    loading = "import keras, ganlib\ngan = keras.saving.load_model('gan.keras')\nassert int(gan.step) == 2\n"
    python(loading + "import numpy as np\nsource, name = ganlib.data.open('digits'), 'there.npz'\n" + RESUME, tmp_path)
    here, there = (np.load(tmp_path / name) for name in ("here.npz", "there.npz"))
    assert here.files == there.files
    assert len(here.files) > 40
    for name in here.files:
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)


@pytest.mark.slow
def test_custom_network_and_config(tmp_path):
    """Writes the files of docs/your_own_gan.md to a copy of the repository, and runs jobs with them by name."""
    for name in ("ganlib", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    files = [block for block in python_blocks() if block.file and block.page == "docs/your_own_gan.md"]
    for block in files:
        assert not (tmp_path / block.file).exists()
        (tmp_path / block.file).write_text(block.text)
    assert len(files) == 2
    ((_, *command),) = re.findall(r"^python -m experiments\.(\w+) (\S+) (\S+)$", files[1].text, re.MULTILINE)
    training, generation = run_in_one_process(
        [
            ("train_gan", *command, "--config.smoke", "--config.conditional"),
            ("generate", "--workdir=runs/digits_patterns", "--count=4", "--output=four.npz"),
        ],
        tmp_path,
    )
    assert (training[::2], generation[::2]) == ((0, []), (0, []))
    assert np.load(tmp_path / "four.npz")["images"].shape == (4, 8, 8, 1)


def prepare(code, folder):
    """Creates the files that a script reads: exports of a conditional GAN trained for two steps, and networks of NVIDIA's."""
    for name in set(re.findall(r"interop\.read\(\"(\S+\.pkl)\"\)", code)):
        generator = states.from_shapes(states.stylegan2_generator_shapes(32, 512, 16, 2, 10))
        discriminator = states.from_shapes(states.stylegan2_discriminator_shapes(32, 512, 16, 10, False))
        torch_files.write_nvidia(folder / name, {"G": generator, "D": discriminator, "G_ema": generator})
    for export in set(re.findall(r"\"(exported/\S+)/network\.onnx\"", code)):
        results = run_in_one_process(
            [
                ("train_gan", "--config=experiments/configs/digits_dcgan.py", f"--workdir={folder / 'run'}", "--config.smoke"),
                ("export", f"--workdir={folder / 'run'}", "--format=onnx", f"--output={folder / export}"),
            ]
        )
        assert [result[::2] for result in results] == [(0, [])] * 2


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in SCRIPTS if page not in ("README.md", "docs/installation.md")])
def test_script_of_a_page(page, tmp_path):
    prepare(SCRIPTS[page], tmp_path)
    python(SCRIPTS[page], tmp_path)


SHORTER = {
    "train_gan": ["--config.smoke"],
    "train_classifier": ["--config.smoke"],
    "generate": [],
    "evaluate": ["--samples=300", "--metrics=fid"],
    "classify": [],
    "export": [],
}
"""Job -> arguments that shorten it. `compare` starts many processes and is tested in `test_jobs.py`; `serve` does not end."""


def shortened(command, folder):
    """Adapts the command of a page: fewer steps, files in a folder, and scikit-learn's digits instead of MNIST."""
    job, *arguments = command
    arguments = [re.sub(r"(?<==|:)/data/", f"{folder}/data/", argument) for argument in arguments]
    arguments += SHORTER[job]
    if any("mnist" in argument for argument in arguments if argument.startswith("--config=")):
        arguments.append("--config.dataset=digits")
    return [job, *arguments]


def write_images(folder):
    """Writes the image folders of the guides: /data/birds without classes, /data/parts with three classes, /data/new."""
    digits = data.open("digits")
    for name in ("birds", "new", "unlabeled"):
        (folder / name).mkdir(parents=True)
        for index in range(40):
            Image.fromarray(digits.images[index, ..., 0]).save(folder / name / f"{index}.png")
    for label in range(3):
        (folder / f"parts/{label}").mkdir(parents=True)
        for index in np.flatnonzero(digits.labels == label)[:40]:
            Image.fromarray(digits.images[index, ..., 0]).save(folder / f"parts/{label}/{index}.png")


def follow(pages, folder):
    """Runs the commands of pages one after the other in a folder, like a reader. Returns the number of commands."""
    for name in ("ganlib", "experiments"):
        (folder / name).symlink_to(ROOT / name)
    write_images(folder / "data")
    all_commands = [shortened(command, folder) for page in pages for command in commands(page) if command[0] in SHORTER]
    for command, (status, output, errors) in zip(all_commands, run_in_one_process(all_commands, folder), strict=True):
        assert (status, errors) == (0, []), (command, output[-1000:])
    return len(all_commands)


@pytest.mark.slow
def test_commands_of_the_readme_in_order(tmp_path):
    assert follow(["README.md"], tmp_path) >= 6
    assert (tmp_path / "exported/mnist_dcgan_onnx/network.onnx").exists()


@pytest.mark.slow
def test_commands_of_the_guides_in_order(tmp_path):
    """Also checks the statements of the guides about Python."""
    assert follow([f"docs/jobs/{job}.md" for job in SHORTER], tmp_path) >= 12
    python(
        "import keras, ganlib, numpy as np\n"
        "classifier = keras.saving.load_model('runs/digits_sgan/classifier.keras')\n"
        "assert classifier(np.zeros((2, 8, 8, 1), 'uint8')).shape == (2, 10)\n",
        tmp_path,
    )
    same = ("generate", "--workdir=runs/digits_dcgan", "--labels=3", "--seed=1", "--count=64", "--output=same.npz")
    assert run(*same, folder=tmp_path)[::2] == (0, [])
    python(
        "import ganlib, numpy as np\n"
        "images = ganlib.load('runs/digits_dcgan').generate(64, labels=3, seed=1)\n"
        "np.testing.assert_array_equal(ganlib.plots.to_uint8(images), np.load('same.npz')['images'])\n",
        tmp_path,
    )


@pytest.mark.slow
def test_distributed_training_on_one_machine(tmp_path):
    ((job, *arguments),) = [command for command in commands("docs/distributed.md") if "--replicas=2" in command]
    assert run(job, *arguments, f"--workdir={tmp_path}", "--config.smoke")[::2] == (0, [])
