from experiments import demo


def test_table_shows_all_runs_and_their_mean():
    table = demo.results({"supervised": [0.8, 0.9, 0.85], "semi_supervised": [0.95, 0.96, 0.97]})
    assert table.rows[0][1:] == ["80.0", "90.0", "85.0", "85.0 ± 5.0"]
    assert table.rows[1][1:] == ["95.0", "96.0", "97.0", "96.0 ± 1.0"]
    lines = demo.as_text(table).splitlines()
    assert lines[0] == "Classifiers with 5 labels per class (test accuracy in %)"
    assert lines[3].split() == ["semi-supervised", "GAN", "95.0", "96.0", "97.0", "96.0", "±", "1.0"]
