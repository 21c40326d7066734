import dataclasses
import os

import pytest

from experiments.common import processes


@dataclasses.dataclass
class Task:
    label: str
    lines: list

    def commands(self):
        return [["-c", line] for line in self.lines]


def test_commands_run_in_order_and_a_failure_stops_only_its_task(tmp_path, capsys):
    good = Task("good", ["print('one')", "print('two')"])
    bad = Task("bad, one", ["import sys; print('error: no such thing'); sys.exit(2)", "print('never')"])
    failures = processes.run_all([bad, good], tmp_path)
    assert failures == [f"bad, one: error: no such thing (see {tmp_path / 'bad_one.log'})"]
    assert (tmp_path / "good.log").read_text().split() == ["one", "two"]
    assert "never" not in (tmp_path / "bad_one.log").read_text()
    output = capsys.readouterr().out
    assert "good: done, 1/2" in output
    assert "bad, one failed: error: no such thing" in output


def test_task_without_commands_is_done(tmp_path, capsys):
    assert processes.run_all([Task("done", [])], tmp_path) == []
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not support CPU affinity")
def test_parallel_tasks_have_separate_cores(tmp_path):
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        pytest.skip("one core only")
    line = "import os, time; print(*os.sched_getaffinity(0)); time.sleep(0.5)"
    processes.run_all([Task("one", [line]), Task("two", [line])], tmp_path, side_by_side=2)
    one, two = (set(map(int, (tmp_path / f"{name}.log").read_text().split())) for name in ("one", "two"))
    assert one | two == cores
    assert not one & two
    assert os.sched_getaffinity(0) == cores


def test_the_path_of_a_dataset_in_a_label_is_no_folder_of_the_log(tmp_path):
    label = "folder:/data/cells, real test images"
    assert processes.run_all([Task(label, ["print('tested')"])], tmp_path) == []
    (log,) = tmp_path.iterdir()
    assert log.name == "folder__data_cells_real_test_images.log"
    assert log.read_text().split() == ["tested"]
