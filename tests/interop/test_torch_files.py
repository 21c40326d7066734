"""Files that PyTorch itself has written are read without it. Runs in the environment of ``make interop``."""

import numpy as np
import pytest

from ganlib import interop

torch = pytest.importorskip("torch", reason="needs PyTorch: run make test-interop")


def network():
    torch.manual_seed(0)
    body = torch.nn.ModuleList([torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)])
    return torch.nn.Sequential(torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(3, 3)), body)


def state():
    values = dict(network().state_dict())
    values["half"], values["brain"] = torch.randn(3, 2).half(), torch.randn(5).bfloat16()
    values["view"], values["parameter"] = torch.arange(12.0).reshape(3, 4)[:, 1:3].T, torch.nn.Parameter(torch.ones(2))
    return values


def assert_equal(read, expected):
    assert list(read) == list(expected)
    for name, value in expected.items():
        assert read[name].shape == tuple(value.shape)
        np.testing.assert_array_equal(np.asarray(read[name], np.float64), value.detach().double().numpy())


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts(tmp_path, zipped):
    path, values = tmp_path / "network.pth", state()
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model[0](torch.ones(1, 3)).sum().backward()
    optimizer.step()
    saved = {"model": values, "optimizer": optimizer.state_dict(), "step": 3, "size": torch.Size([1, 2])}
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    assert_equal(interop.read(path)["model"], values)
    torch.save(values, path, _use_new_zipfile_serialization=zipped)
    assert_equal(interop.read(path)["state"], values)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_module_gives_its_state_dict(tmp_path, zipped):
    model = torch.nn.Sequential(torch.nn.ModuleList([torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)]), torch.nn.ReLU())
    torch.save({"G": model}, tmp_path / "network.pth", _use_new_zipfile_serialization=zipped)
    assert_equal(interop.read(tmp_path / "network.pth")["G"], model.state_dict())
