import numpy as np

from experiments.studies import solar_cells


def test_the_class_is_that_of_the_probability(tmp_path):
    (tmp_path / "labels.csv").write_text("images/a.png  0.3333333333333333    mono\nimages/b.png  0.6666666666666666    poly\n")
    assert solar_cells.photos(tmp_path) == [
        (tmp_path / "images/a.png", "sound"),
        (tmp_path / "images/b.png", "defective"),
    ]


def test_600_photos_are_for_testing_and_the_same_ones_every_time():
    splits = solar_cells.split_of(2624)
    assert (splits == "test").sum() == 600
    assert np.array_equal(splits, solar_cells.split_of(2624))
