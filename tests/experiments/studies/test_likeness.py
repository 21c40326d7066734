import json

import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import configs, train_gan
from experiments.studies import likeness
from ganlib import data
from ganlib.metrics import features, in_domain
from ganlib.metrics.extractor import Features
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
    assert sum(row["queries"] for row in results["by_class"].values()) == 30
    assert "mean over classes" in outputs[0][1]
    assert Image.open(tmp_path / "likeness.png").size == (4 * 34 + 2, 10 * 34 + 2)
    assert np.load(tmp_path / "like.npz")["images"].shape == (5, 8, 8, 1)


def test_no_judge_has_seen_its_queries(monkeypatch):
    """The classes of queries and answers are put back in order: each judge here returns the value of the pixels."""
    count = 30
    values = np.arange(count, dtype=np.uint8)
    images = np.broadcast_to(values[:, None, None, None], (count, 8, 8, 1)).copy()
    test = data.from_arrays("test", images, np.arange(count) % 3 // 2)
    trained = []

    def train(images, labels, num_classes, seed, progress):
        trained.append(set(images[:, 0, 0, 0].tolist()))
        np.testing.assert_array_equal(labels, images[:, 0, 0, 0] % 3 // 2)
        return trained[-1]

    def from_model(seen, name):
        def classifier(images):
            shown = images[:, 0, 0, 0]
            assert not seen & set((shown % 100).tolist())
            return Features(None, np.eye(256)[shown])

        return classifier

    monkeypatch.setattr(in_domain, "train", train)
    monkeypatch.setattr(features, "from_model", from_model)
    indices = np.array([7, 3, 25, 11])
    answers = np.stack([images[indices], images[indices] + 100], axis=1)
    query_classes, answer_classes = likeness.judge(test, indices, answers, folds=5)
    np.testing.assert_array_equal(query_classes, indices)
    np.testing.assert_array_equal(answer_classes, np.stack([indices, indices + 100], axis=1))
    assert all(len(seen) == 24 for seen in trained)
    with pytest.raises(ganlib.UserError, match="--folds=11 needs 11 test images of each class, got a class of 10: set fewer"):
        likeness.judge(test, indices, answers, folds=11)


def test_shares_of_unequal_classes():
    labels = np.array([0, 0, 0, 1])
    query_classes, answer_classes = np.array([0, 0, 1, 1]), np.array([[0, 0], [0, 0], [0, 1], [0, 1]])
    results = likeness.shares(labels, query_classes, answer_classes, ["sound", "defective"])
    assert results["answers_of_the_querys_class"] == 6 / 8
    assert results["if_independent"] == pytest.approx(3 / 4 * 6 / 8 + 1 / 4 * 2 / 8)  # 6 of all 8 answers are of class 0
    assert results["judge_right_about_queries"] == 3 / 4
    expected = {"queries": 1, "answers_of_the_querys_class": 1 / 2, "if_independent": 2 / 8, "judge_right_about_queries": 1.0}
    assert results["by_class"]["defective"] == expected
    assert results["mean_over_classes"]["if_independent"] == 1 / 2
    assert results["mean_over_classes"]["answers_of_the_querys_class"] == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert [line.split()[-3:] for line in likeness.table(results).splitlines()[-1:]] == [["0.500", "0.250", "1.000"]]


@pytest.mark.slow
def test_gan_without_instances_is_refused(tmp_path):
    train_gan.train(configs.load("digits_dcgan", ["smoke=True"]), tmp_path)
    code, _, errors = run("generate", f"--workdir={tmp_path}", f"--like={tmp_path / 'samples' / 'step_00000002.png'}")
    assert code == 2
    assert "--like requires an instance-conditioned GAN, and" in errors[-1]
