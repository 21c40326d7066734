import json

import keras
import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import configs, train_gan
from experiments.studies import likeness
from ganlib import data
from ganlib.metrics import features, in_domain
from tests.end_to_end.jobs import finish, run, start


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("icgan")
    overrides = [
        "smoke=True",
        "conditional=False",
        "instances.features=in_domain",
        "instances.embedding_dim=4",
        "instances.kept=10",
    ]
    train_gan.train(configs.load("digits_dcgan", overrides), folder)
    return folder


@pytest.mark.slow
def test_study_writes_results_and_generate_takes_a_query_image(workdir, tmp_path):
    query = tmp_path / "seven.png"
    Image.fromarray(ganlib.data.open("digits").images[7, ..., 0]).resize((20, 20)).save(query)
    processes = [
        start("likeness", f"--workdir={workdir}", "--queries=30", "--answers=3", f"--output={tmp_path / 'likeness.png'}"),
        start("generate", f"--workdir={workdir}", f"--like={query}", "--count=5", f"--output={tmp_path / 'like.npz'}"),
    ]
    outputs = [finish(process) for process in processes]
    assert [(code, errors) for code, _, errors in outputs] == [(0, [])] * 2
    results = json.loads((tmp_path / "likeness.json").read_text())
    assert (results["queries"], results["answers_each"]) == (30, 3)
    assert results["judge_right_about_queries"] > 0.8
    for name in ("answers_of_the_querys_class", "if_independent"):
        assert 0 <= results[name] <= 1
    assert Image.open(tmp_path / "likeness.png").size == (4 * 34 + 2, 10 * 34 + 2)
    assert np.load(tmp_path / "like.npz")["images"].shape == (5, 8, 8, 1)


def test_the_judge_is_not_the_network_that_conditions(monkeypatch, tmp_path):
    source, extractors = data.open("digits"), {}
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        extractors[seed] = features.from_model(in_domain.untrained(source), f"seed {seed}")
    keras.utils.set_random_seed(1)
    model = in_domain.untrained(source)
    seeds = []
    monkeypatch.setattr(in_domain, "train", lambda *others, seed, progress: seeds.append(seed) or model)
    monkeypatch.setattr(features, "get", lambda name, source: extractors[0])
    assert likeness.judge(source, extractors[1]) is extractors[0]
    assert likeness.judge(source, extractors[0]).version == extractors[1].version
    assert seeds == [1]


def test_gan_without_instances_is_refused(tmp_path):
    train_gan.train(configs.load("digits_dcgan", ["smoke=True"]), tmp_path)
    code, _, errors = run("generate", f"--workdir={tmp_path}", f"--like={tmp_path / 'samples' / 'step_00000002.png'}")
    assert code == 2
    assert "--like requires an instance-conditioned GAN, and" in errors[-1]
