"""Tables and curves follow from the descriptions of metrics."""

import importlib
import pathlib

import ganlib.metrics
from experiments.common import gan_comparison
from ganlib.metrics import evaluate
from ganlib.metrics.metric import Metric, Result
from ganlib.runs import report


def test_every_file_with_metrics_is_found():
    files = pathlib.Path(ganlib.metrics.__path__[0]).glob("*.py")
    modules = [path.stem for path in files if "\nMETRICS = {" in path.read_text()]
    assert {"frechet", "kernel", "likelihood", "sliced_wasserstein"} < set(modules)
    defined = {name for module in modules for name in importlib.import_module(f"ganlib.metrics.{module}").METRICS}
    assert defined == set(evaluate.METRICS)


def test_a_new_metric_has_a_column_and_a_curve(monkeypatch):
    monkeypatch.setitem(
        evaluate.METRICS, "sid", Metric({"sid": Result("SID", "{:.1f}")}, lambda real, fake, seed: {"sid": 1.0})
    )
    rows = [{"name": "mine", "steps": 5, "mean": {"fid": 1.234, "kid_std": 9.0, "sid": 2.34}, "std": {"fid": 0.1, "sid": 0.1}}]
    rows[0]["values"] = {"fid": [1.2, 1.3], "sid": [2.3, 2.4]}
    heading, _, row = gan_comparison.as_markdown(rows).splitlines()[:3]
    assert heading == "|  | steps | FID | SID |"
    assert "1.23" in row
    assert "2.3" in row
    assert ("SID", {"sid": "SID"}) in report.curves()


def test_numbers_are_scaled_in_tables_alone():
    rows = [{"name": "mine", "steps": 5, "mean": {"kid": 0.0012}, "std": {"kid": 0.0001}, "values": {"kid": [0.0011, 0.0013]}}]
    heading, _, row = gan_comparison.as_markdown(rows).splitlines()[:3]
    assert heading == "|  | steps | KID x 1000 |"
    assert row == "| mine | 5 | 1.200 ± 0.100 |"
    assert rows[0]["mean"]["kid"] == 0.0012
    assert ("KID", {"kid": "KID"}) in report.curves(), "curves are not scaled"


def test_results_with_one_title_share_a_plot():
    assert ("precision and recall", {"precision": "precision", "recall": "recall"}) in report.curves()
    assert ("FID", {"fid": "FID", "fid_test": "FID to test images"}) in report.curves()
    assert [title for title, _ in report.curves()][:: len(report.curves()) - 1] == ["losses", "accuracy"]
