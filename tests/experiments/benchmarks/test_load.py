import json
import random

import pytest

pytest.importorskip("fastapi")

from experiments.benchmarks import hostile
from ganlib import export
from ganlib.networks import Classifier, dcgan
from tests.end_to_end.jobs import run
from tests.serving.test_app import exported


@pytest.mark.slow
def test_service_under_load_and_hostile_requests(tmp_path):
    network = Classifier(dcgan.Discriminator((8, 8, 1), 8).body, (8, 8, 1), 3)
    exported(tmp_path / "small", export.functions.of_classifier(network, list("abc")), network)
    arguments = ("--clients=2", "--seconds=1", "--hostile=200", "--slow_clients=40", "--request_timeout=2")
    arguments += (f"--output={tmp_path / 'load.json'}",)
    code, output, errors = run("load", f"--export={tmp_path / 'small'}", *arguments)
    assert (code, errors) == (0, [])
    assert "| clients | requests/s |" in output
    results = json.loads((tmp_path / "load.json").read_text())
    (row,) = results["rows"]
    assert row["refused"] == 0
    assert row["requests"] > 10
    assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert row["model_alone"] > 0
    assert sum(results["hostile"]["statuses"].values()) == 200
    assert results["hostile"]["statuses"]["400"] > 100
    slow = results["slow_clients"]
    assert (slow["connections"], slow["open"], slow["refused"]) == (40, 0, 0)
    assert slow["answered"] > 10
    assert results["tracebacks"] == 0


def test_hostile_requests_depend_on_the_seed_and_cover_every_kind():
    body = b'{"inputs": {"latents": [[0.5, 1.0]], "labels": [3]}}'
    first, again = (
        [hostile.request(generator, body) for _ in range(300)] for generator in (random.Random(1), random.Random(1))
    )
    assert first == again
    contents = [content for _, _, content in first]
    assert {method for method, _, _ in first} > {"POST", "GET"}
    for fragment in (b"[" * 1000, b"1e999", b"classify_files", b'"count": 1000000000'):
        assert any(fragment in content for content in contents), fragment
