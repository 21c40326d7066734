"""The networks of an authors' code become a run on which every job works, and nothing is written if they do not fit."""

import json

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import ganlib
from experiments.configs import base
from ganlib import interop, runs
from ganlib.runs import converted
from tests.end_to_end import jobs
from tests.helpers import slow_beyond
from tests.interop import states, torch_files


def write(form, folder, state):
    """Writes a state as a file of one format and returns its path."""
    path = folder / {"safetensors": "G.safetensors", "npz": "G.npz"}.get(form, "G.pth")
    if form == "npz":
        np.savez(path, **{f"model_state_dict/{name}": array for name, array in state.items()})
    elif form == "safetensors":
        safetensors.numpy.save_file(state, path)
    elif form == "nvidia":
        torch_files.write_nvidia(path, {"model_state_dict": state})
    else:
        {"zip": torch_files.write_zip, "legacy": torch_files.write_legacy}[form](path, {"model_state_dict": state})
    return path


def write_parts(path, parts):
    """Writes several networks, name -> state, as one file."""
    np.savez(path, **{f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()})


def photos(folder, count):
    """Writes random images of 32x32 pixels and returns the folder."""
    folder.mkdir()
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.mark.parametrize("form", slow_beyond(["npz", "zip", "legacy", "nvidia", "safetensors"], 1))
def test_images_of_the_run_are_those_of_the_arrays(tmp_path, form):
    state = states.mimicry_generator(num_classes=3)
    path = write(form, tmp_path, state)
    networks = converted.read("mimicry", path)
    converted.create(tmp_path / "run", "mimicry", path, networks, base.gan())
    gan, expected = ganlib.load(tmp_path / "run"), interop.generator("mimicry", state)
    latents, labels = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32), np.array([0, 1, 2, 0, 1])
    np.testing.assert_allclose(gan.generate_from(latents, labels), expected(latents, labels), atol=1e-4)
    with pytest.raises(ganlib.UserError, match="was converted without a dataset: convert the file again with --dataset"):
        runs.open_data_of(runs.open_run(tmp_path / "run"))
    assert np.ptp(gan.generate_from(latents, labels)) > 0.1


@pytest.mark.slow
def test_jobs_work_on_a_converted_run(tmp_path):
    """Generates, exports and trains further, like a user. The model card names the code and its license."""
    generator, discriminator = tmp_path / "G.pth", tmp_path / "D.pth"
    torch_files.write_zip(generator, {"model_state_dict": states.mimicry_generator(), "global_step": 7})
    torch_files.write_zip(discriminator, {"model_state_dict": states.mimicry_discriminator()})
    run, further, data = tmp_path / "run", tmp_path / "further", photos(tmp_path / "data", 8)
    results = jobs.run_in_one_process(
        [
            ("convert", "--code=mimicry", f"--file={generator}", f"--discriminator_file={discriminator}", f"--workdir={run}",
             f"--dataset=folder:{data}"),
            ("train_gan", f"--config={run}/further_training.py", f"--workdir={further}", "--config.steps=2",
             "--config.batch_size=4", "--config.penalties.r1.weight=1.0", "--config.generator_optimizer.learning_rate=1e-9"),
            ("generate", f"--workdir={run}", "--count=4", f"--output={tmp_path / 'grid.png'}"),
            ("export", f"--workdir={run}", "--format=keras", f"--output={tmp_path / 'exported'}"),
            ("convert", "--code=mimicry", f"--file={generator}", f"--workdir={run}"),
        ]
    )  # fmt: skip
    for status, output, errors in results[:4]:
        assert (status, errors) == (0, []), (output, errors)
    assert "converted: resnet, 32x32" in results[0][1]
    assert results[4][0] == 2
    assert "holds a run: choose another --workdir" in results[4][2][0]
    card = json.loads((tmp_path / "exported" / "model_card.json").read_text())
    assert (card["trained_by"], card["licence"]) == ("https://github.com/kwotsin/mimicry", "MIT")
    assert card["converted_from"] == "G.pth"
    gan = ganlib.load(run)
    assert gan.discriminator.activated_shortcut
    tuned = ganlib.load(further)
    assert int(tuned.step.numpy()) == 2
    np.testing.assert_allclose(tuned.generate(3), gan.generate(3), atol=0.1)  # it starts from the same weights
    assert tuned.discriminator.activated_shortcut


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("block3.c1.bias"), "it has no array 'block3.c1.bias'"),
        (
            lambda state: state.update({"extra.weight": np.zeros(3)}),
            "1 arrays of this mimicry network are left over: extra.weight",
        ),
        (lambda state: state.update({"block3.c2.weight": np.zeros((4, 5, 3, 3))}), "'block3.c2.weight' .* does not fit"),
        (lambda state: state.update({"c5.weight": np.zeros((3, 4))}), "'c5.weight' .* must have 4 axes"),
    ],
)
def test_a_state_that_does_not_fit_is_one_line_and_nothing_is_written(tmp_path, change, message):
    state = states.mimicry_generator()
    change(state)
    path = write("zip", tmp_path, state)
    with pytest.raises(ganlib.UserError, match=message) as error:
        converted.read("mimicry", path)
    assert "\n" not in str(error.value)


def test_images_of_another_size_or_other_classes_are_refused_before_anything_is_written(tmp_path):
    path = write("zip", tmp_path, states.mimicry_generator(num_classes=3))
    networks = converted.read("mimicry", path)
    digits = ganlib.data.open("digits")
    with pytest.raises(
        ganlib.UserError, match=r"generates images of 3 channels, but digits/train has images of 1: pass another --dataset"
    ):
        converted.create(tmp_path / "run", "mimicry", path, networks, base.gan(), digits)
    resized = ganlib.data.from_arrays("ten", np.zeros((20, 32, 32, 3), np.uint8), np.arange(20) % 10)
    with pytest.raises(ganlib.UserError, match="the network has 3 classes, but ten has 10"):
        converted.create(tmp_path / "run", "mimicry", path, networks, base.gan(), resized)
    assert not (tmp_path / "run").exists()


def test_an_unknown_code_and_a_file_without_its_parts(tmp_path):
    path = tmp_path / "G.pth"
    torch_files.write_zip(path, {"one": states.mimicry_generator(), "two": states.mimicry_generator()})
    with pytest.raises(ganlib.UserError, match="unknown code 'mimikry': known are .*Did you mean 'mimicry'"):
        converted.read("mimikry", path)
    with pytest.raises(ganlib.UserError, match="has no generator of mimicry: it has the parts one, two, not model_state_dict"):
        converted.read("mimicry", path)


def test_a_state_of_another_code_says_which_it_looks_like(tmp_path):
    path = write("zip", tmp_path, states.mimicry_generator())
    with pytest.raises(ganlib.UserError, match="it looks like a generator of mimicry$"):
        converted.read("biggan", path)
    torch_files.write_zip(path, {"model_state_dict": states.mimicry_discriminator()})
    with pytest.raises(ganlib.UserError, match="it looks like a discriminator of mimicry$"):
        converted.read("mimicry", path)


def test_networks_that_do_not_belong_together_are_one_line(tmp_path):
    generator, other, discriminator = (tmp_path / name for name in ("G.pth", "conditional.pth", "D.pth"))
    torch_files.write_zip(generator, {"model_state_dict": states.mimicry_generator()})
    torch_files.write_zip(other, {"model_state_dict": states.mimicry_generator(num_classes=3)})
    torch_files.write_zip(discriminator, {"model_state_dict": states.mimicry_discriminator()})
    assert converted.read("mimicry", generator, discriminator).discriminator is not None
    assert converted.read("mimicry", generator, discriminator, generator_only=True).discriminator is None
    with pytest.raises(
        ganlib.UserError, match="does not belong to the generator: its num_classes is None, the generator's is 3"
    ):
        converted.read("mimicry", other, discriminator)
    write_parts(tmp_path / "two.npz", {"G_ema": states.mimicry_generator(4), "G": states.mimicry_generator(8)})
    with pytest.raises(ganlib.UserError, match="generators of different sizes"):
        converted.read("mimicry", tmp_path / "two.npz")


@pytest.mark.slow
def test_further_training_starts_from_the_generator_and_asks_for_images(tmp_path):
    """The file has the generator and its average. Without --dataset, the images must be given."""
    parts = {
        "G": states.mimicry_generator(seed=1),
        "G_ema": states.mimicry_generator(seed=2),
        "D": states.mimicry_discriminator(),
    }
    write_parts(tmp_path / "all.npz", parts)
    run, further, data = tmp_path / "run", tmp_path / "further", photos(tmp_path / "data", 4)
    arguments = ("train_gan", f"--config={run}/further_training.py", f"--workdir={further}", "--config.steps=1",
                 "--config.batch_size=4", "--config.generator_optimizer.learning_rate=1e-9")  # fmt: skip
    converting, without, training = jobs.run_in_one_process(
        [("convert", "--code=mimicry", f"--file={tmp_path / 'all.npz'}", f"--workdir={run}"), arguments,
         (*arguments, f"--config.dataset=folder:{data}")]
    )  # fmt: skip
    assert converting[0] == 0
    assert without[0] == 2
    assert "SET_config.dataset" in without[2][0]
    assert (training[0], training[2]) == (0, [])
    tuned = ganlib.load(further)
    for network, part in ((tuned.generator, "G"), (tuned.ema_generator, "G_ema")):
        expected = interop.generator("mimicry", parts[part])
        np.testing.assert_allclose(network.conv.layer.kernel if hasattr(network.conv, "layer") else network.conv.kernel,
                                   expected.conv.layer.kernel if hasattr(expected.conv, "layer") else expected.conv.kernel,
                                   atol=2e-2 if part == "G_ema" else 1e-5)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "parts", "size"),
    [("fastgan", "G", 256), ("projected_gan", "GD", 128)],
)
def test_conversions_of_projected_gan_and_its_generator(tmp_path, code, parts, size):
    from tests.interop.test_projected_codes import discriminator, light_generator

    made = {"G": lambda: light_generator(None, size), "D": discriminator}
    networks = {part: {name: np.asarray(value, np.float32) for name, value in made[part]().items()} for part in parts}
    torch_files.write_nvidia(tmp_path / "network.pkl", networks)
    converting, generating = jobs.run_in_one_process(
        [("convert", f"--code={code}", f"--file={tmp_path / 'network.pkl'}", f"--workdir={tmp_path / 'run'}"),
         ("generate", f"--workdir={tmp_path / 'run'}", "--count=1", f"--output={tmp_path / 'grid.png'}")]
    )  # fmt: skip
    assert (converting[0], converting[2], generating[0]) == (0, [], 0)
    loaded = ganlib.load(tmp_path / "run")
    if "D" in parts:
        expected = interop.discriminator("projected_gan", networks["D"])
        for ours, theirs in zip(loaded.discriminator.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
