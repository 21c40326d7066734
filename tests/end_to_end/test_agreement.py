import types

import numpy as np
import pytest

import ganlib
from experiments.studies import agreement
from tests.end_to_end.jobs import run


@pytest.mark.slow
def test_two_workers_compute_what_one_device_does():
    code, output, errors = run("agreement", "--smoke", "--steps=2")
    assert (code, errors) == (0, [])
    assert [line.split("|")[1].strip() for line in output.splitlines()[2:]] == ["dcgan_r1, Adam"]


@pytest.mark.parametrize(
    ("spoilt", "by"), [("m, SGD/000", 1e-4), ("m, SGD/logs", 1e-4), ("stylegan2_ada, SGD/000", 1e-2), ("nothing", 1.0)]
)
def test_it_fails_where_they_do_not(monkeypatch, capsys, spoilt, by):
    flags = types.SimpleNamespace(models=[], output=None, smoke=True, dtype="float64", steps=2)
    name = "m, SGD" if spoilt == "nothing" else spoilt.partition("/")[0]
    results = {"000": np.ones((2, 3)), "001": np.full(2, 1e-12), "002": np.arange(3), "logs": np.array([2.0, 0.0])}
    results = {f"{name}/{key}": value for key, value in results.items()}

    def saved(way, folder):
        return {key: value + (by if (way, key) == ("2 workers", spoilt) else 0.0) for key, value in results.items()}

    monkeypatch.setattr(agreement, "FLAGS", flags)
    monkeypatch.setattr(agreement, "_run", saved)
    if spoilt == "nothing":
        agreement.main()
    else:
        with pytest.raises(ganlib.UserError, match=rf"replicas do not agree: a difference is 1e.*\({name}\)"):
            agreement.main()
    assert f"| {name} |" in capsys.readouterr().out
