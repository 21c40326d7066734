import functools
import json
import math
import signal
import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganlib
from ganlib import data, locks
from ganlib.training import callbacks
from ganlib.training.checkpoint import Checkpoints
from tests.helpers import mlp_gan

eager_gan = functools.partial(mlp_gan, run_eagerly=True)  # a graph takes longer to trace than a few steps


def fit(gan, steps, *callbacks, start=0):
    dataset = data.batches(data.open("digits"), 8, start_step=start)
    gan.fit(dataset, steps_per_epoch=steps, verbose=0, callbacks=list(callbacks))


class Recorder(callbacks.StepCallback):
    def __init__(self, every):
        super().__init__()
        self.every, self.steps, self.due = every, [], []

    def on_step(self, step, logs):
        self.steps.append(step)
        if self.is_due(self.every):
            self.due.append(step)


def test_steps_continue_over_runs():
    gan, recorder = eager_gan(), Recorder(every=4)
    fit(gan, 3, recorder)
    fit(gan, 3, recorder, start=3)
    assert recorder.steps == [1, 2, 3, 4, 5, 6]
    assert recorder.due == [4]


def test_several_steps_per_execution():
    gan, recorder = mlp_gan(steps_per_execution=3), Recorder(every=4)
    fit(gan, 9, recorder)
    assert recorder.steps == [3, 6, 9]
    assert recorder.due == [6, 9]  # the executions that include steps 4 and 8


def test_non_finite_loss_stops_and_names_step_and_log():
    gan = eager_gan()
    fit(gan, 2)
    gan.generator.set_weights([w * np.nan for w in gan.generator.get_weights()])
    with pytest.raises(ganlib.UserError, match=r"stopped at step 3: .*generator_loss = nan"):
        fit(gan, 5, callbacks.StopAtNonFinite(), start=2)


def test_non_finite_loss_within_one_execution_names_the_steps():
    gan = mlp_gan(steps_per_execution=2)
    gan.generator.set_weights([w * np.nan for w in gan.generator.get_weights()])
    with pytest.raises(ganlib.UserError, match="stopped at steps 1 to 2"):
        fit(gan, 4, callbacks.StopAtNonFinite())


def test_non_finite_state_is_never_saved(tmp_path):
    gan = eager_gan()
    checkpoints = Checkpoints(tmp_path, gan)
    fit(gan, 2, callbacks.SaveCheckpoints(checkpoints, every=1))
    gan.generator.set_weights([w * np.nan for w in gan.generator.get_weights()])
    with pytest.raises(ganlib.UserError):
        fit(gan, 2, callbacks.StopAtNonFinite(), callbacks.SaveCheckpoints(checkpoints, every=1), start=2)
    assert checkpoints.steps() == [1, 2]


def test_training_ends_soon_after_the_loss_of_the_lock(tmp_path, monkeypatch):
    """Without a write: no log, grid or checkpoint is due."""
    monkeypatch.setattr(locks, "HEARTBEAT", 0.01)

    class LoseLock(callbacks.StepCallback):
        def on_step(self, step, logs):
            if step == 2:
                (tmp_path / ".lock-1").unlink()
                time.sleep(0.2)

    gan = eager_gan()
    with locks.locked(tmp_path), pytest.raises(ganlib.UserError, match="lock-1' was removed"):
        fit(gan, 100, LoseLock(), callbacks.StopIfLockLost())
    assert int(gan.step) == 2


def test_checkpoints_are_saved_periodically_and_at_the_end(tmp_path):
    gan = eager_gan()
    checkpoints = Checkpoints(tmp_path, gan, keep=9)
    fit(gan, 5, callbacks.SaveCheckpoints(checkpoints, every=2))
    assert checkpoints.steps() == [2, 4, 5]


def test_sample_grids_use_the_same_latents(tmp_path):
    gan = eager_gan()
    fit(gan, 2, callbacks.SaveSamples(tmp_path, every=1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["interpolation.png", "step_00000001.png", "step_00000002.png"]
    grid = np.asarray(Image.open(tmp_path / "step_00000002.png"))
    np.testing.assert_array_equal(grid, np.asarray(ganlib.plots.image_grid(gan.generate(64, seed=0))))


def test_metrics_are_means_over_the_interval(tmp_path):
    gan, losses = eager_gan(), []

    class Losses(callbacks.StepCallback):
        def on_step(self, step, logs):
            losses.append(logs["generator_loss"])

    evaluate = lambda model: {"score": int(model.step)}  # noqa: E731
    fit(gan, 5, Losses(), callbacks.LogMetrics(tmp_path, every=2, evaluate=evaluate, evaluate_every=4))
    rows = callbacks.read_rows(tmp_path / "metrics.jsonl")
    means = {row["step"]: row["generator_loss"] for row in rows if "generator_loss" in row}
    assert means == pytest.approx({2: np.mean(losses[:2]), 4: np.mean(losses[2:4]), 5: losses[4]})
    assert [(row["step"], row["score"]) for row in rows if "score" in row] == [(4, 4.0), (5, 5.0)]
    speed = callbacks.read_rows(tmp_path / "speed.jsonl")
    assert [row["step"] for row in speed if row.get("steps_per_second", 0) > 0] == [2, 4, 5]
    assert [row["step"] for row in speed if row.get("evaluation_seconds", -1) >= 0] == [4, 5]


def test_best_checkpoint_has_the_lowest_value(tmp_path):
    scores = {1: 3.0, 2: 1.0, 3: 2.0, 4: 0.5}
    evaluate = lambda model: {"fid": scores[int(model.step)]}  # noqa: E731

    def best_after(steps, start):
        gan = eager_gan()
        gan.step.assign(start)
        best = callbacks.BestCheckpoint(Checkpoints(tmp_path / "best", gan, keep=1), "fid", {})
        fit(gan, steps, callbacks.LogMetrics(tmp_path, 1, evaluate, 1, best), start=start)
        return best.checkpoints.steps()

    assert best_after(3, start=0) == [2]
    assert best_after(1, start=2) == [2]  # a resumed run remembers the best value
    assert best_after(1, start=3) == [4]


def best_of(folder, start, main_steps=(), selection=types.MappingProxyType({})):
    """Returns the `BestCheckpoint` of a new GAN that resumes from a step."""
    gan = eager_gan()
    gan.step.assign(start)
    main = Checkpoints(folder / "checkpoints", gan, keep=None)
    for step in main_steps:
        (main.folder / f"step_{step:08d}").mkdir(parents=True, exist_ok=True)
    return callbacks.BestCheckpoint(Checkpoints(folder / "best", gan, keep=None), "fid", dict(selection), main)


def save_if_best(best, **scores):
    for name, score in scores.items():
        best.checkpoints.model.step.assign(int(name.removeprefix("at_")))
        best.save_if_best({"fid": score})
    best.checkpoints.wait()


def test_best_checkpoint_of_a_lost_part_is_replaced_by_the_previous_best(tmp_path):
    """In a run that was killed after step 900 and resumes from step 500, the best checkpoint before 500 still exists, and a new
    best checkpoint at 600 is kept."""
    best = best_of(tmp_path, 0, main_steps=(500,))
    best.begin([], 0)
    save_if_best(best, at_300=13.0, at_400=12.0, at_600=11.0, at_900=10.0)
    assert best.checkpoints.steps() == [400, 600, 900]
    best = best_of(tmp_path, 500)
    best.begin([], 500)
    assert (best.checkpoints.steps(), best.best) == ([400], 12.0)
    save_if_best(best, at_600=11.5, at_700=11.7)
    assert best.checkpoints.steps() == [400, 600]
    assert best.checkpoints.find() == 600


def test_of_equal_largest_values_the_last_is_kept(tmp_path):
    best = best_of(tmp_path, 0)
    best.largest, best.name = True, "accuracy"
    best.begin([], 0)
    for step, accuracy in ((1, 0.5), (2, 0.7), (3, 0.6), (4, 0.7), (5, math.nan), (6, 0.1)):
        best.checkpoints.model.step.assign(step)
        best.save_if_best({"accuracy": accuracy})
    best.save_if_best({"loss": 3.0})
    best.checkpoints.wait()
    assert best.checkpoints.find() == 4
    assert best.checkpoints.notes["accuracy"] == 0.7


def test_values_of_other_features_are_not_compared(tmp_path, caplog):
    """The FID by another feature network, or of another number of images, is another number."""
    few, many = {"features": "a", "samples": 40}, {"features": "b", "samples": 300}
    best = best_of(tmp_path, 0, selection=few)
    best.begin([], 0)
    save_if_best(best, at_2=1.2)
    assert best.checkpoints.notes["selection"] == few
    best = best_of(tmp_path, 4, selection=few)
    best.begin([], 4)
    assert best.best == 1.2
    best = best_of(tmp_path, 4, selection=many)
    best.begin([], 4)
    assert "the best checkpoint is selected anew" in caplog.text
    save_if_best(best, at_6=270.0, at_8=280.0)
    assert best.checkpoints.find() == 6
    assert best.checkpoints.notes["selection"] == many


def test_damaged_best_checkpoint_is_set_aside(tmp_path):
    best = best_of(tmp_path, 0)
    best.begin([], 0)
    save_if_best(best, at_3=1.0)
    (tmp_path / "best/step_00000003/weights.index").write_bytes(b"")
    best = best_of(tmp_path, 5)
    best.begin([{"step": 3, "fid": 1.0}], 5)
    save_if_best(best, at_6=2.0)
    assert best.checkpoints.steps() == [6]
    assert (tmp_path / "best/step_00000003.damaged").is_dir()


def test_lowest_value_ignores_rows_without_a_checkpoint(tmp_path):
    """A run can be killed between writing a row and its checkpoint, and a value can be NaN."""
    best = best_of(tmp_path, 5)
    best.begin([{"step": 2, "fid": float("nan")}, {"step": 4, "fid": 1.0}], 5)
    save_if_best(best, at_6=float("nan"), at_7=3.0, at_8=float("nan"))
    assert best.checkpoints.steps() == [7]
    resumed = best_of(tmp_path, 9)
    resumed.checkpoints.notes.clear()
    resumed.begin([{"step": 7, "fid": float("nan")}], 9)
    assert resumed.best == 3.0


def test_steps_continue_over_epochs(tmp_path):
    gan, recorder = eager_gan(), Recorder(every=4)
    dataset = data.batches(data.open("digits"), 8)
    gan.fit(dataset, epochs=3, steps_per_epoch=4, verbose=0, callbacks=[recorder])
    assert recorder.steps == list(range(1, 13))
    assert recorder.due == [4, 8, 12]
    finite = Recorder(every=0)
    gan.fit(dataset.take(3), epochs=2, verbose=0, callbacks=[finite])  # epochs that end with the data
    assert finite.steps[-1] == int(gan.step) == 18


@pytest.mark.parametrize("every", [0, 4])
def test_final_evaluation_runs_once(tmp_path, every):
    """This also holds if the last execution, steps 7 to 9, includes a multiple of the interval, 8."""
    gan = mlp_gan(steps_per_execution=3)
    fit(gan, 9, callbacks.LogMetrics(tmp_path, 0, lambda model: {"score": 1.0}, every))
    evaluated = [row["step"] for row in callbacks.read_rows(tmp_path / "metrics.jsonl") if "score" in row]
    assert evaluated == ([6, 9] if every else [9])


def test_sample_grids_of_later_steps_are_removed(tmp_path):
    for name in ("step_00000001.png", "step_00000009.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    gan = eager_gan()
    fit(gan, 2)
    fit(gan, 1, callbacks.SaveSamples(tmp_path, every=0), start=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["interpolation.png", "step_00000001.png", "step_00000003.png"]


def test_tensorboard_events_have_the_same_scalars(tmp_path):
    fit(eager_gan(), 2, callbacks.LogMetrics(tmp_path, every=2))
    (row,) = callbacks.read_rows(tmp_path / "metrics.jsonl")
    (path,) = (tmp_path / "tensorboard").iterdir()
    events = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            assert value.metadata.plugin_data.plugin_name == "scalars"
            events[value.tag] = (event.step, float(tf.make_ndarray(value.tensor)))
    assert events["generator_loss"] == (2, pytest.approx(row["generator_loss"]))
    assert set(events) == set(row) - {"step"}


def test_rows_after_the_checkpoint_are_removed_on_resuming(tmp_path):
    path = tmp_path / "metrics.jsonl"
    callbacks.write_rows(path, [{"step": 1, "a": 1.0}, {"step": 7, "a": 2.0}])
    with path.open("a") as file:
        file.write('{"step": 8, "a"')  # truncated by a kill
    gan = eager_gan()
    gan.step.assign(5)
    fit(gan, 1, callbacks.LogMetrics(tmp_path, every=1))
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 6]


def test_resumed_run_writes_the_rows_of_an_uninterrupted_run(tmp_path):
    def rows_of(*stops):
        folder, start = tmp_path / str(len(stops)), 0
        for stop in stops:
            keras.utils.set_random_seed(0)
            gan = eager_gan()
            checkpoints = Checkpoints(folder / "checkpoints", gan)
            checkpoints.restore()
            received = []

            class Signal(callbacks.StepCallback):
                def on_step(self, step, logs, stop=stop, received=received):
                    if step == stop:
                        received.append(signal.SIGTERM)

            log = callbacks.LogMetrics(folder, every=3, window=checkpoints.notes)
            save = callbacks.SaveCheckpoints(checkpoints, 6)
            if stop == stops[-1]:
                fit(gan, stop - start, log, save, start=start)
            else:
                with pytest.raises(ganlib.errors.Stopped) as stopped:
                    fit(gan, 9, log, save, Signal(), callbacks.StopOnSignal(checkpoints, received), start=start)
                assert (stopped.value.step, stopped.value.signal) == (stop, signal.SIGTERM)
                assert checkpoints.steps()[-1] == stop
            start = stop
        return (folder / "metrics.jsonl").read_text()

    assert rows_of(9) == rows_of(2, 7, 9)
