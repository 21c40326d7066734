import types

import numpy as np
import pytest

import ganlib
from experiments import agreement
from tests.end_to_end.jobs import run


def test_two_workers_compute_what_one_device_does():
    code, output, errors = run("agreement", "--smoke", "--steps=2")
    assert (code, errors) == (0, [])
    assert [line.split("|")[1].strip() for line in output.splitlines()[2:]] == ["dcgan_r1, Adam"]


@pytest.mark.parametrize("spoilt", ["m/000", "m/logs", None])
def test_it_fails_where_they_do_not(monkeypatch, capsys, spoilt):
    flags = types.SimpleNamespace(models=[], output=None, smoke=True, dtype="float64", steps=2)
    results = {"m/000": np.ones((2, 3)), "m/001": np.full(2, 1e-12), "m/002": np.arange(3), "m/logs": np.array([2.0, 0.0])}

    def saved(way, folder):
        return {key: value + (1e-4 if (way, key) == ("2 workers", spoilt) else 0.0) for key, value in results.items()}

    monkeypatch.setattr(agreement, "FLAGS", flags)
    monkeypatch.setattr(agreement, "_run", saved)
    if spoilt:
        with pytest.raises(ganlib.UserError, match="replicas do not agree: a difference is 1e"):
            agreement.main()
    else:
        agreement.main()
    assert "| m |" in capsys.readouterr().out
