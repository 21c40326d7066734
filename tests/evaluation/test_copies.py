"""A generator that copies training images is told apart from one that does not."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from experiments import configs, train_gan
from ganlib import data, evaluation, plots
from tests.end_to_end.jobs import run

NAMES = ["fid", "authenticity", "fld", "precision_recall"]


@pytest.fixture(scope="module")
def halves():
    source = data.open("digits")
    first, second = np.split(np.random.default_rng(0).permutation(source.num_examples)[:1200], 2)
    return [data.from_arrays(f"half{i}", source.pick(rows)) for i, rows in enumerate((first, second))]


@pytest.fixture(scope="module")
def pixels():
    return keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()], name="pixels")


def test_copies_have_a_better_fid_and_are_still_found(halves, pixels, tmp_path):
    training, new = halves
    test = data.open("digits", "test")
    evaluate = evaluation.Evaluation(training, NAMES, pixels, samples=600, test=test, cache_dir=tmp_path)
    copied, generated = evaluate.of_source(training), evaluate.of_source(new)
    assert copied["fid"] < generated["fid"]
    assert copied["recall"] == copied["precision"] == 1.0
    assert copied["authenticity"] == 0.0
    assert generated["authenticity"] > 0.4
    assert copied["fld_gap"] < generated["fld_gap"] - 20
    assert copied["fld"] > generated["fld"] + 10


def test_copies_are_searched_among_the_images_of_training(halves, pixels, tmp_path):
    """Few-image runs are trained on fewer images than their FID is measured against."""
    training, new = halves
    arguments = {"names": ["authenticity"], "features": pixels, "samples": 600, "cache_dir": tmp_path}
    assert evaluation.Evaluation(new, training=training, **arguments).of_source(training)["authenticity"] == 0.0
    assert evaluation.Evaluation(new, training=new, **arguments).of_source(training)["authenticity"] > 0.4


@pytest.mark.slow
def test_a_run_on_few_images_shows_its_neighbors_among_them(tmp_path):
    overrides = ["smoke=True", "labels_per_class=1", "label_seed=4"]
    config = configs.load("digits_dcgan", overrides)
    train_gan.train(config, tmp_path)
    code, _, errors = run("evaluate", f"--workdir={tmp_path}", "--samples=50", "--metrics=authenticity", "--neighbours=6")
    assert (code, errors) == (0, [])
    record = json.loads((tmp_path / "evaluation.json").read_text())
    assert (record["training_images"], record["real_images"]) == (10, 1297)
    few = data.few_labels(data.open("digits"), 1, 4).labeled
    cells = np.asarray(Image.open(tmp_path / "neighbours.png").convert("L"))
    known = {np.asarray(plots.image_grid(image[None], columns=1).convert("L"))[2:-2, 2:-2].tobytes() for image in few.images}
    step = (cells.shape[1] - 2) // 4
    for row in range(6):
        for column in range(1, 4):
            top, left = 2 + row * step, 2 + column * step
            assert cells[top : top + step - 2, left : left + step - 2].tobytes() in known
