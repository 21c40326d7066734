import types

import numpy as np
import pytest

import ganlib
from experiments.studies import agreement
from tests.end_to_end.jobs import run


@pytest.mark.slow
def test_two_workers_agree_with_one_device():
    code, output, errors = run("agreement", "--smoke", "--steps=2")
    assert (code, errors) == (0, [])
    assert [line.split("|")[1].strip() for line in output.splitlines()[2:]] == ["dcgan_r1, Adam"]


@pytest.mark.parametrize(
    ("perturbed", "by"), [("m, SGD/000", 1e-4), ("m, SGD/logs", 1e-4), ("stylegan2_ada, SGD/000", 1e-2), ("nothing", 1.0)]
)
def test_job_fails_on_a_difference(monkeypatch, capsys, perturbed, by):
    flags = types.SimpleNamespace(models=[], output=None, smoke=True, dtype="float64", steps=2)
    name = "m, SGD" if perturbed == "nothing" else perturbed.partition("/")[0]
    results = {"000": np.ones((2, 3)), "001": np.full(2, 1e-12), "002": np.arange(3), "logs": np.array([2.0, 0.0])}
    results = {f"{name}/{key}": value for key, value in results.items()}

    def saved(setup, folder):
        return {key: value + (by if (setup, key) == ("2 workers", perturbed) else 0.0) for key, value in results.items()}

    monkeypatch.setattr(agreement, "FLAGS", flags)
    monkeypatch.setattr(agreement, "_run", saved)
    if perturbed == "nothing":
        agreement.main()
    else:
        with pytest.raises(ganlib.UserError, match=f"replicas do not agree: the largest difference of {name} is 1e"):
            agreement.main()
    assert f"| {name} |" in capsys.readouterr().out
