"""Tables and curves follow from the descriptions of metrics."""

import pathlib

import ganlib.metrics
from experiments.common import gan_comparison
from ganlib.metrics import evaluate
from ganlib.metrics.metric import Metric, Result
from ganlib.runs import report


def test_every_file_with_metrics_is_found():
    files = pathlib.Path(ganlib.metrics.__path__[0]).glob("*.py")
    assert sum("\nMETRICS = {" in path.read_text() for path in files) == 6
    assert set(evaluate.METRICS) == {"fid", "intra_fid", "kid", "is", "precision_recall", "density_coverage", "cas"}


def test_a_new_metric_has_a_column_and_a_curve(monkeypatch):
    monkeypatch.setitem(
        evaluate.METRICS, "swd", Metric({"swd": Result("SWD", "{:.1f}")}, lambda real, fake, seed: {"swd": 1.0})
    )
    rows = [{"name": "mine", "steps": 5, "mean": {"fid": 1.234, "kid_std": 9.0, "swd": 2.34}, "std": {"fid": 0.1, "swd": 0.1}}]
    rows[0]["values"] = {"fid": [1.2, 1.3], "swd": [2.3, 2.4]}
    heading, _, row = gan_comparison.as_markdown(rows).splitlines()[:3]
    assert heading == "|  | steps | FID | SWD |"
    assert "1.23" in row
    assert "2.3" in row
    assert ("SWD", {"swd": "SWD"}) in report.curves()


def test_results_with_one_title_share_a_plot():
    assert ("precision and recall", {"precision": "precision", "recall": "recall"}) in report.curves()
    assert ("FID", {"fid": "FID"}) in report.curves()
    assert [title for title, _ in report.curves()][:: len(report.curves()) - 1] == ["losses", "accuracy"]
