"""Each symptom of a training: its measures on arrays made by hand, and when it is reported."""

import dataclasses

import numpy as np
import pytest

from ganlib import data
from ganlib.diagnostics import balance, kernels, labels, memorization, mode_collapse, run, stale_average
from ganlib.diagnostics import discriminator_overfitting as overfitting
from ganlib.diagnostics.history import History
from ganlib.diagnostics.snapshot import COUNT, Kernel, RealImages, Snapshot, reduced

DIGITS = data.open("digits")
TRAINING = RealImages.of(DIGITS.subset(np.arange(540)))
HELD_OUT = RealImages.of(DIGITS.subset(np.arange(540, 1297 - COUNT)))


def snapshot(images=None, **changes):
    """Returns the snapshot of a perfect generator, which draws other images with their classes, or of given images."""
    others = DIGITS.subset(np.arange(1297 - COUNT, 1297))
    images = others.images if images is None else images
    rng = np.random.default_rng(0)
    values = {
        "training": TRAINING,
        "held_out": HELD_OUT,
        "images": images,
        "generated": reduced(images),
        "current": reduced(images),
        "labels": others.labels,
        "logits": {name: rng.normal(size=COUNT) for name in ("training", "held_out", "generated")},
        "kernels": {},
        "num_classes": 10,
    }
    return Snapshot(**values | changes)


def found(*rows, steps=1000, **arguments):
    """Returns the findings of a history whose last rows are given."""
    numbered = [{"step": steps * (index + 10) // 20} | row for index, row in enumerate(rows)]
    return {finding.symptom: finding for finding in run.of_run(History(numbered, steps, **arguments))}


def test_a_perfect_generator_has_no_symptoms():
    row = run.measures(snapshot())
    assert not found(row, row, row)
    assert abs(row["diversity"] - 1) < 0.05
    assert abs(row["class_diversity"] - 1) < 0.2
    assert abs(row["image_distance"]) < 0.03
    assert abs(row["training_nearest"] - 0.5) < 0.1
    assert row["second_nearest"] > 0.8
    assert row["judge_accuracy"] > 0.9
    assert abs(row["labels_used"] - 1) < 0.1
    assert row["average_lag"] == 0


@pytest.mark.parametrize(
    ("symptom", "images"),
    [
        ("mode_collapse", lambda images: np.repeat(images[:1], COUNT, axis=0)),
        ("mode_collapse", lambda images: np.resize(images[:8], images.shape)),  # as varied, but eight images
        ("memorization", lambda images: TRAINING.images),
        ("labels_ignored", lambda images: images[np.random.default_rng(0).permutation(COUNT)]),
    ],
)
def test_symptoms_of_images(symptom, images):
    row = run.measures(snapshot(images(snapshot().images)))
    assert symptom in found(row, row, row)
    assert not found({}, row, row), "three examinations must show it"


def test_collapse_within_each_class():
    source = DIGITS.subset(np.arange(1297 - COUNT, 1297))
    firsts = np.array([np.flatnonzero(source.labels == label)[0] for label in range(10)])
    row = mode_collapse.measures(snapshot(source.images[firsts[source.labels]]))
    assert row["class_diversity"] == pytest.approx(0, abs=0.01)
    assert row["diversity"] > 0.8
    assert "of one class is 0% of that between real ones" in found(row, row, row)["mode_collapse"].evidence


def test_a_class_that_is_not_generated():
    source = DIGITS.subset(np.flatnonzero(DIGITS.labels != 3)[-COUNT:])
    row = labels.measures(snapshot(source.images, labels=None))
    assert row["rarest_class"] == 3
    assert row["rarest_share"] < 0.15
    assert "class 3" in found(row, row, row)["missing_class"].evidence
    assert not labels.measures(snapshot(training=dataclasses.replace(TRAINING, labels=None)))


def test_copies_without_held_out_images():
    row = memorization.measures(snapshot(TRAINING.images, held_out=None))
    assert set(row) == {"second_nearest"}
    assert row["second_nearest"] == pytest.approx(0, abs=0.02)
    assert "memorization" in found(row, row, row)


def test_overfitting_is_r_v_of_the_paper():
    rng = np.random.default_rng(0)
    logits = {name: rng.normal(mean, 1.0, COUNT) for name, mean in (("training", 3), ("held_out", 0), ("generated", -1))}
    row = overfitting.measures(snapshot(logits=logits))
    means = {name: values.mean() for name, values in logits.items()}
    assert row["overfitting"] == (means["training"] - means["held_out"]) / (means["training"] - means["generated"])
    assert abs(row["overfitting"] - 0.75) < 0.05
    assert set(found(row, row, row)) == {"discriminator_overfitting"}
    assert not overfitting.measures(snapshot(held_out=None, logits={"training": logits["training"]}))
    assert not overfitting.measures(snapshot()), "a discriminator that knows nothing does not overfit"


def test_one_network_dominates():
    noise = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 1), np.uint8)
    rng = np.random.default_rng(0)
    apart = {"training": rng.normal(20, 1, COUNT), "generated": rng.normal(-20, 1, COUNT)}
    rows = [balance.measures(snapshot(noise, logits=apart)), balance.measures(snapshot(noise))]
    assert rows[0]["discriminator_accuracy"] == 1
    assert abs(rows[0]["separation"] - 40) < 4
    assert abs(rows[1]["discriminator_accuracy"] - 0.5) < 0.06
    assert set(found(*[rows[0]] * 3)) == {"discriminator_dominates"}
    assert set(found(*[rows[1]] * 3)) == {"generator_dominates"}
    good = balance.measures(snapshot(logits=apart)), balance.measures(snapshot())
    assert not any(found(*[row] * 3) for row in good), "the images are like real ones"


def test_an_average_that_lags():
    real, noise = snapshot(), np.random.default_rng(0).random((COUNT, 64), np.float32)
    row = stale_average.measures(snapshot(generated=noise)) | balance.measures(snapshot(generated=noise))
    assert row["average_lag"] > 0.4
    assert "stale_average" in found(row, row, row)
    row = stale_average.measures(snapshot(current=noise)) | balance.measures(real)
    assert row["average_lag"] < -0.4, "the average is better"
    assert not found(row, row, row)


def test_kernels_that_grow_or_do_not_change():
    rng = np.random.default_rng(0)
    first = {"kernel": 0.5}
    before = {"kernel": Kernel(0.5, rng.normal(size=8)), "other": Kernel(0.5, rng.normal(size=8))}
    after = {"kernel": Kernel(40.0, before["kernel"].projections + 1e-3), "other": Kernel(0.5, before["other"].projections)}
    row = kernels.measures(snapshot(kernels=after), first, before)
    assert row == {"largest_growth": 80.0, "largest_growth_kernel": "kernel", "dead_units": 1.0, "dead_kernel": "other"}
    assert "80 times" in found(row, row, row)["exploding_or_dead_layers"].evidence
    assert "100% of the units of other" in found(row, row, row)["exploding_or_dead_layers"].evidence
    assert kernels.measures(snapshot(kernels=after), None, None) == {}


def losses(values, **others):
    return [{"step": 20 * index, "discriminator_loss": value} | others for index, value in enumerate(values)]


def test_unstable_trainings():
    steady = losses(np.random.default_rng(0).normal(1.0, 0.1, 50))
    assert not found(logs=steady)
    assert "was 40 at step 800" in found(logs=steady[:40] + losses([40] * 41)[40:41] + steady[41:])["unstable"].evidence
    assert not found(logs=losses([500.0, 90.0, *[1.0] * 48])), "in the first tenth, losses may be anything"
    assert not found(logs=steady[:5] + losses([40] * 6)[5:6] + steady[6:13], steps=250), "too short to be judged"
    assert found(logs=steady, stopped="training stopped at step 7")["unstable"].confidence == 1.0
    assert "unstable" in found(logs=losses([1.0] * 50, non_finite_steps=1))
    fids = [{"step": 100 * index, "fid": value} for index, value in enumerate((50, 20, 10, 12, 16, 21))]
    assert "risen from 10 at step 200 to 21" in found(logs=fids)["unstable"].evidence
    assert not found(logs=[*fids[:-1], {"step": 600, "fid": 15}])


def test_a_symptom_that_recedes_is_not_reported():
    rows = [{"diversity": value} for value in (0.2, 0.3, 0.4)]
    assert not found(*rows)
    assert "mode_collapse" in found(*rows[::-1])
    assert found(*rows[::-1])["mode_collapse"].confidence == pytest.approx(0.7)
    early = [{"step": step, "diversity": 0.2} for step in (100, 200, 300)]
    assert not run.of_run(History(early, steps=1000)), "in the first steps, all images are alike"
    assert run.of_run(History(early, steps=300)), "the training is over"
    assert not run.of_run(History(early[:2], steps=200)), "too short to be judged"


def test_layers_that_explode_are_reported_early():
    rows = [{"step": step, "largest_growth": 50.0, "largest_growth_kernel": "kernel 0"} for step in (1, 2, 3)]
    assert run.of_run(History(rows, steps=10))[0].symptom == "exploding_or_dead_layers"


def test_a_missing_class_is_the_same_one():
    """An untrained generator lacks another class each time."""
    rows = [{"rarest_class": label, "rarest_share": 0.0} for label in (3, 4, 3)]
    assert not found(*rows)
    assert "class 3" in found(*[rows[0]] * 3)["missing_class"].evidence
    assert "class 'bird'" in found(*[rows[0]] * 3, class_names=("", "", "", "bird"))["missing_class"].evidence
