"""The files of the authors' codes are read to the last number, and what they ask to be run is not run."""

import pickle
import zipfile

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import ganlib
from ganlib import interop
from tests.interop import torch_files


def arrays():
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "conv.half": rng.normal(size=(4, 2)).astype(np.float16),
        "conv.brain": rng.normal(size=(3,)).astype(ml_dtypes.bfloat16),
        "count": np.array(7, np.int64),
        "empty": np.zeros((0, 3), np.float32),
    }


def assert_equal(state, expected):
    assert list(state) == list(expected)
    for name, array in expected.items():
        assert (state[name].dtype, state[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(np.asarray(state[name], np.float64), np.asarray(array, np.float64))


@pytest.mark.parametrize("write", [torch_files.write_zip, torch_files.write_legacy])
def test_a_file_of_pytorch(tmp_path, write):
    path = tmp_path / "network.pth"
    write(path, {"model_state_dict": arrays(), "global_step": 100, "optimizer": {"state": {0: {"step": 3}}, "groups": [1]}})
    assert_equal(interop.read(path)["model_state_dict"], arrays())
    write(path, arrays())
    parts = interop.read(path)
    assert list(parts) == ["state"]
    assert_equal(parts["state"], arrays())


def test_a_file_of_nvidia(tmp_path):
    path = tmp_path / "network.pkl"
    nested = {"synthesis.b4.const": arrays()["conv.weight"], "mapping.w_avg": np.arange(5, dtype=np.float32)}
    torch_files.write_nvidia(path, {"G_ema": nested, "D": {"weight": np.ones((2, 2), np.float32)}})
    parts = interop.read(path)
    assert list(parts) == ["G_ema", "D"]
    assert_equal(dict(sorted(parts["G_ema"].items())), dict(sorted(nested.items())))


@pytest.mark.parametrize(
    "class_names",
    [
        ("training.networks.Generator", "R3GAN.Networks.Generator", "torch.nn.modules.container.ModuleList"),
        ("pg_modules.networks_fastgan.Generator", "pg_modules.blocks.UpBlockSmall", "torch.nn.modules.conv.Conv2d"),
        ("pg_modules.discriminator.ProjectedDiscriminator", "timm.models.efficientnet_blocks.InvertedResidual"),
    ],
)
def test_a_file_that_names_the_classes_of_its_networks(tmp_path, class_names):
    """R3GAN and Projected GAN do not use NVIDIA's persistent objects."""
    nested = {"synthesis.b4.const": arrays()["conv.weight"], "Model.a.b.c.d.weight": np.arange(5, dtype=np.float32)}
    torch_files.write_nvidia(tmp_path / "network.pkl", {"G_ema": nested}, class_names)
    assert_equal(dict(sorted(interop.read(tmp_path / "network.pkl")["G_ema"].items())), dict(sorted(nested.items())))


def test_npz_and_safetensors(tmp_path):
    named = {f"G/{name}": array for name, array in arrays().items() if name != "conv.brain"}
    np.savez(tmp_path / "network.npz", **named)
    assert_equal(interop.read(tmp_path / "network.npz")["G"], {name.removeprefix("G/"): named[name] for name in named})
    for name in ("network.safetensors", "of_another_name.bin"):
        safetensors.numpy.save_file(arrays(), tmp_path / name)
        state = interop.read(tmp_path / name)["state"]
        assert_equal(dict(sorted(state.items())), dict(sorted(arrays().items())))


def test_a_tensor_with_strides_and_an_offset(tmp_path, monkeypatch):
    """As PyTorch writes a view: the second and third column of a matrix, transposed."""
    from ganlib.interop.pickles import Tensor, _Storage

    storage = _Storage(np.float32, 12)
    storage.fill(np.arange(12, dtype=np.float32).tobytes())
    view = Tensor(storage, 1, (2, 3), (1, 4)).array()
    np.testing.assert_array_equal(view, np.arange(12).reshape(3, 4)[:, 1:3].T)
    for offset, shape, strides in ((1, (2, 4), (1, 4)), (-1, (2,), (1,)), (0, (2,), (-1,)), (0, (10**6,), (0,))):
        with pytest.raises(ValueError, match="beyond its storage"):
            Tensor(storage, offset, shape, strides).array()


RAN = []


class Attack:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def attacks():
    import builtins
    import os
    import subprocess

    return {
        "os.system": Attack(os.system, "touch {path}"),
        "eval": Attack(builtins.eval, "__import__('os').system('touch {path}')"),
        "getattr": Attack(builtins.getattr, "text", "upper"),
        "Popen": Attack(subprocess.Popen, ["touch", "{path}"]),
        "append": Attack(RAN.append, 1),
    }


@pytest.mark.parametrize("name", attacks())
@pytest.mark.parametrize("form", ["pkl", "zip"])
def test_a_pickle_that_asks_for_code_is_refused_and_runs_nothing(tmp_path, name, form):
    data = pickle.dumps({"G_ema": attacks()[name], "weight": 1}).replace(b"{path}", b"/tmp/r")
    path = tmp_path / "network.pth"
    if form == "pkl":
        path.write_bytes(data)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", data)
    with pytest.raises(ganlib.UserError, match=r"cannot read '.*network.pth': it asks for '.*', which could run code") as error:
        interop.read(path)
    assert "\n" not in str(error.value)
    assert RAN == []
    assert [p.name for p in tmp_path.iterdir()] == ["network.pth"]


def test_a_pickle_cannot_change_how_later_files_are_read(tmp_path):
    """A pickle can set attributes of the objects that it gets, also of functions and classes."""
    stream = b"\x80\x02" + b"ctorch.nn.modules\nModule\n" + b"N}U\r__setstate__ctorch\nSize\ns\x86b."
    (tmp_path / "bad.pkl").write_bytes(stream)
    with pytest.raises(ganlib.UserError, match="holds no arrays|damaged"):
        interop.read(tmp_path / "bad.pkl")
    torch_files.write_nvidia(tmp_path / "good.pkl", {"G_ema": {"a.weight": np.ones(3, np.float32)}})
    np.testing.assert_array_equal(interop.read(tmp_path / "good.pkl")["G_ema"]["a.weight"], np.ones(3))


@pytest.mark.parametrize("form", ["zip", "legacy", "nvidia", "npz", "safetensors"])
def test_a_truncated_file_is_one_line(tmp_path, form):
    path = tmp_path / ("network.safetensors" if form == "safetensors" else "network.pth")
    state = {"weight": np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)}
    if form == "npz":
        np.savez(tmp_path / "network.npz", **state)
        (tmp_path / "network.npz").rename(path)
    elif form == "safetensors":
        safetensors.numpy.save_file(state, path)
    else:
        write = {"zip": torch_files.write_zip, "legacy": torch_files.write_legacy}.get(form)
        write(path, state) if write else torch_files.write_nvidia(path, {"G": state})
    whole = path.read_bytes()
    assert interop.read(path)
    for length in (0, 1, 10, 200, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ganlib.UserError, match="cannot read '.*': it is truncated, damaged or of another format") as error:
            interop.read(path)
        assert "\n" not in str(error.value)


def test_files_without_arrays(tmp_path):
    with pytest.raises(ganlib.UserError, match="there is no file"):
        interop.read(tmp_path / "missing.pth")
    (tmp_path / "text.pth").write_text("hello, this is no network\n")
    with pytest.raises(ganlib.UserError, match="truncated, damaged or of another format"):
        interop.read(tmp_path / "text.pth")
    (tmp_path / "numbers.pkl").write_bytes(pickle.dumps({"steps": 3}))
    with pytest.raises(ganlib.UserError, match="holds no arrays"):
        interop.read(tmp_path / "numbers.pkl")


@pytest.mark.parametrize("form", ["zip", "legacy", "nvidia", "npz", "safetensors"])
def test_a_file_with_wrong_bytes_is_read_or_one_line(tmp_path, form):
    path = tmp_path / {"npz": "network.npz", "safetensors": "network.safetensors"}.get(form, "network.pth")
    state, rng = {"a.weight": np.ones((6, 5), np.float32), "count": np.arange(7)}, np.random.default_rng(0)
    if form == "npz":
        np.savez(path, **state)
    elif form == "safetensors":
        safetensors.numpy.save_file(state, path)
    else:
        write = {"zip": torch_files.write_zip, "legacy": torch_files.write_legacy, "nvidia": torch_files.write_nvidia}[form]
        write(path, {"G": state})
    whole, messages = path.read_bytes(), []
    for _ in range(200):
        damaged = bytearray(whole)
        for position in rng.integers(len(whole), size=3):
            damaged[position] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            interop.read(path)
        except ganlib.UserError as error:
            messages.append(str(error))
    assert len(messages) > 50
    assert not any("\n" in message for message in messages)


def test_sizes_that_are_numpys_integers_are_refused(tmp_path):
    """They overflow without an error, and the tensor would show other memory of the process."""
    from ganlib.interop.pickles import Tensor, _Storage

    storage = _Storage(np.uint8, 8)
    storage.fill(bytes(8))
    for offset, shape, strides in ((0, (3, 2), (np.uint8(128), 1)), (np.int64(2**62), (2,), (1,)), (0, (np.int8(127),), (1,))):
        with pytest.raises(ValueError, match="sizes of a tensor must be integers"):
            Tensor(storage, offset, shape, strides)
    with pytest.raises(ValueError, match="size of a storage must be an integer"):
        _Storage(np.uint8, np.int64(8))


def test_a_small_file_that_names_one_object_very_often_ends(tmp_path):
    value = {"weight": np.ones(2, np.float32)}
    for _ in range(60):
        value = {"a": value, "b": value}
    torch_files.write_legacy(tmp_path / "network.pth", value)
    ((name, state),) = interop.read(tmp_path / "network.pth").items()
    assert name == "/".join("a" * 60)
    np.testing.assert_array_equal(state["weight"], np.ones(2))


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j]), np.array(["2026-11-27"], "datetime64[D]")])
def test_arrays_without_numbers_are_one_line(tmp_path, array):
    np.savez(tmp_path / "network.npz", weight=array)
    with pytest.raises(ganlib.UserError, match="it has an array of .*, not of numbers"):
        interop.read(tmp_path / "network.npz")
