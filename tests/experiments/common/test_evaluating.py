import logging

import keras
import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments.common import evaluating
from ganlib import data
from ganlib.evaluation import Evaluation


def test_the_seed_of_the_best_checkpoint_differs_from_that_of_its_selection():
    selection = {"metric": "fid", "seed": 0, "samples": 300}
    for seed, expected in ((None, (0, {})), (3, (3, {}))):
        assert evaluating.seed_and_selection(None, seed) == expected
    for seed, expected in ((None, 1), (3, 3)):
        assert evaluating.seed_and_selection(selection, seed) == (expected, {"selected_by": selection})
    with pytest.raises(ganlib.UserError, match="--seed=0 generated the images .*: pass another --seed"):
        evaluating.seed_and_selection(selection, 0)


def test_parameters_are_readable():
    parameters = {"k": 3, "images": {"real": 1297, "generated": 2000}}
    assert evaluating.described(parameters) == "k 3, 1297 real and 2000 generated images"
    assert evaluating.described({"splits": 10}) == "splits 10"


@pytest.mark.parametrize(("suffix", "warned"), [("png", False), ("jpg", True), ("JPEG", True)])
def test_jpeg_files_are_reported(tmp_path, caplog, suffix, warned):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a" / f"1.{suffix}")
    with caplog.at_level(logging.WARNING):
        evaluating.warn_about_jpeg(f"folder:{tmp_path}")
    assert ("has JPEG files, whose compression changes the FID" in caplog.text) == warned


def test_networks_after_the_first_compute_only_the_metrics_that_depend_on_features():
    def create(metrics, features):
        return metrics, features

    created = evaluating.one_for_each(["in_domain", "a", "b"], ["fid", "swd", "ppl", "cas"], create)
    assert created["in_domain"] == (["fid", "swd", "ppl", "cas"], "in_domain")
    assert created["a"] == (["fid", "ppl"], "a")
    assert list(created) == ["in_domain", "a", "b"]
    for networks, metrics, message in (
        (["a", "a"], ["fid"], "--features names a network twice: a, a"),
        (["a", "b"], ["swd"], "no metric of swd depends on features: pass one network as --features"),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            evaluating.one_for_each(networks, metrics, create)


def test_the_record_of_several_networks():
    source = data.open("digits")
    networks = {width: keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.AveragePooling2D(width),
                                         keras.layers.Flatten()], name=f"pool{width}") for width in (4, 2)}  # fmt: skip
    evaluations = {f"pool{width}": Evaluation(source, ["fid"], network, samples=10) for width, network in networks.items()}
    results = {"pool4": {"fid": 1.0}, "pool2": {"fid": 2.0}}
    record = evaluating.record(evaluations, results, None, step=3)
    assert record["results"] == {"fid": 1.0, "fid@pool2": 2.0}
    assert (record["features"], record["step"]) == ("pool4", 3)
    assert record["features_version"] == evaluations["pool4"].extractor.version
    assert record["other_features"] == {"pool2": evaluations["pool2"].extractor.version}
    assert "features_accuracy" not in record
    assert "other_features" not in evaluating.record({"pool4": evaluations["pool4"]}, results, None)


def test_the_accuracy_of_a_judge_is_readable():
    accuracy = {
        "images": "cells/test", "num_images": 600, "accuracy": 0.78, "balanced_accuracy": 0.683, "majority_accuracy": 0.6733,
    }  # fmt: skip
    assert evaluating.described_accuracy("in_domain", accuracy) == (
        "in_domain is a classifier with an accuracy of 78.0 % on 600 images of cells/test (balanced: 68.3 %; most frequent "
        "class: 67.3 %)"
    )
