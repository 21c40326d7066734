"""The training loop of a run: from its newest checkpoint to its last step."""

import keras

from ganlib import data
from ganlib.errors import UserError
from ganlib.training import precision, signals, strategy
from ganlib.training.callbacks import (
    BestCheckpoint,
    LogMetrics,
    SaveCheckpoints,
    SaveSamples,
    StopAtNonFinite,
    StopIfLockLost,
    StopOnSignal,
)
from ganlib.training.progress import Progress

MAX_CONSECUTIVE_SKIPS = 100
"""The number of consecutive skipped executions after which training stops: see ``non_finite``."""


def fit(run, model, batches, evaluate=None, label="", samples=True, callbacks=()):
    """Trains ``model`` up to the config's number of steps, from the newest checkpoint if there is one.

    Args:
        run: A `Run`.
        model: A model from `build`.
        batches: A function ``batches(start_step)`` that returns an endless `tf.data.Dataset` of batches. With several workers,
            it also takes the argument ``share``, the `ganlib.data.Share` of each batch that a worker reads.
        evaluate: A function ``evaluate(model)`` that returns a dict of numbers to log every ``evaluate_every`` steps. If it
            contains ``"fid"``, or for ``selected_step="best"`` ``"validation_accuracy"``, the best checkpoint is kept. Defaults
            to None, which disables evaluation.
        label: The label of the progress bar. Defaults to ``""``.
        samples: Whether the model generates images, which are then written as grids. Defaults to True.
        callbacks: Further `ganlib.training.callbacks.StepCallback` objects, called after each checkpoint. Defaults to ``()``.

    Raises:
        UserError: If the loss is not finite, the disk is full, an image is corrupt, or another job has taken over the folder.
    """
    config, checkpoints = run.config, run.checkpoints(model)
    start_step = checkpoints.restore() or 0
    strategy.check_same(run.strategy, "the step of the newest checkpoint", start_step)
    steps_left = max(config.steps - start_step, 0)
    _report_resumption(run, start_step, steps_left)
    if steps_left:
        precision.warn_if_slow(config.precision)
        dataset = batches(start_step)
        if not getattr(model, "fits_at_once", False):
            strategy.check_shares(run.strategy, dataset, config.accumulation_steps * getattr(model, "batch_parts", 1))
        if strategy.num_workers(run.strategy) > 1:
            share_of = lambda *index_and_count: batches(start_step, share=data.Share(*index_and_count))  # noqa: E731
            dataset = strategy.shared_by_workers(run.strategy, share_of)
        run.write()
    elif run.finished_step is not None:
        return
    checkpoints.set_aside_after(start_step)
    compared = {"name": "validation_accuracy", "largest": True} if run.selects_best_step else {"name": "fid"}
    selection = getattr(evaluate, "selection", None)
    best = BestCheckpoint(run.best_checkpoint(model), selection=selection, resumed_from=checkpoints, **compared)
    all_callbacks = [
        SaveCheckpoints(checkpoints, every=0),  # at the end of training, before callbacks that may fail there
        StopAtNonFinite(patience=MAX_CONSECUTIVE_SKIPS if config.non_finite == "skip" else 0),
        StopIfLockLost(),
        LogMetrics(run.workdir, config.log_every, evaluate, config.evaluate_every, best, checkpoints.notes),
        *([SaveSamples(run.samples, config.sample_every)] if samples else []),
        SaveCheckpoints(checkpoints, config.checkpoint_every),
        *callbacks,
        Progress(config.steps, label),
    ]
    try:
        with signals.noted() as received:
            all_callbacks.append(StopOnSignal(checkpoints, received))
            if steps_left:
                model.fit(dataset, steps_per_epoch=steps_left, verbose=0, callbacks=all_callbacks)
            else:
                _finish(model, all_callbacks)
    except OSError as error:
        raise UserError(f"training stopped: {error}. The checkpoints are intact. Run the same command to resume") from None
    # The other workers wait here. Otherwise they would read files that the chief is still writing.
    strategy.check_same(run.strategy, "the last step", int(model.step.numpy()))
    run.write_facts(finished_step=int(model.step.numpy()))


def _report_resumption(run, start_step, steps_left):
    config, folder = run.config, str(run.folder)
    if not start_step:
        return
    if not steps_left and run.differences.refusal:
        raise UserError(
            f"{folder!r} is complete: it has {start_step} steps, trained with {run.differences.refusal}. "
            "Increase config.steps to continue with the current config and data, or choose another --workdir"
        )
    if steps_left % config.steps_per_execution:
        raise UserError(
            f"{folder!r} resumes from step {start_step}, and the {steps_left} steps up to {config.steps} are not a multiple of "
            f"steps_per_execution={config.steps_per_execution}: set steps_per_execution=1, or change steps"
        )
    message = f"resuming {folder!r} from step {start_step}"
    print(message if steps_left else f"{folder!r} is complete: it has {start_step} steps", flush=True)
    for difference in run.differences.reported:
        print(f"changed since the last start: {difference}; the weights may differ by rounding", flush=True)


def _finish(model, callbacks):
    """Runs the end of training if an earlier process was killed after the last step."""
    callback_list = keras.callbacks.CallbackList(callbacks, model=model)
    callback_list.on_train_begin()
    callback_list.on_train_end()
