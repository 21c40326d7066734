"""The training of a run: from its newest checkpoint to its last step."""

import keras

from ganlib.errors import UserError
from ganlib.training import signals, strategy
from ganlib.training.callbacks import (
    BestCheckpoint,
    LogMetrics,
    SaveCheckpoints,
    SaveSamples,
    StopAtNonFinite,
    StopOnSignal,
)  # fmt: skip
from ganlib.training.progress import Progress

MAX_CONSECUTIVE_SKIPS = 100
"""So many executions in a row may be skipped before training stops: see ``non_finite``."""


def fit(run, model, batches, evaluate=None, label="", samples=True):
    """Trains ``model`` to the config's number of steps, from the newest checkpoint if there is one.

    Args:
        run: a `Run`.
        model: from `build`.
        batches: ``batches(start_step)`` -> a `tf.data.Dataset` of endless batches.
        evaluate: ``evaluate(model) -> dict`` of numbers to log every ``evaluate_every`` steps, or None. Of a ``"fid"``
            among them the best checkpoint is kept.
        label: what to call it in the progress bar.
        samples: whether the model generates images, to be written as grids.

    Raises:
        UserError: when the loss is not finite, the disk is full, or an image is corrupt.
    """
    config, checkpoints = run.config, run.checkpoints(model)
    start_step = checkpoints.restore() or 0
    strategy.check_same(run.strategy, "the step of the newest checkpoint", start_step)
    steps_left = max(config.steps - start_step, 0)
    _say_how_it_goes_on(run, start_step, steps_left)
    if steps_left:
        dataset = batches(start_step)
        strategy.check_shares(run.strategy, dataset, config.accumulation_steps * config.get("discriminator_steps", 1))
        run.write()
    elif run.finished_step is not None:
        return
    checkpoints.set_aside_after(start_step)
    best = BestCheckpoint(run.best_checkpoint(model), "fid", checkpoints)
    callbacks = [
        SaveCheckpoints(checkpoints, every=0),  # at the end, before all that may fail there
        StopAtNonFinite(patience=MAX_CONSECUTIVE_SKIPS if config.non_finite == "skip" else 0),
        LogMetrics(run.workdir, config.log_every, evaluate, config.evaluate_every, best, checkpoints.notes),
        *([SaveSamples(run.samples, config.sample_every)] if samples else []),
        SaveCheckpoints(checkpoints, config.checkpoint_every),
        Progress(config.steps, label),
    ]
    try:
        with signals.noted() as received:
            callbacks.append(StopOnSignal(checkpoints, received))
            if steps_left:
                model.fit(dataset, steps_per_epoch=steps_left, verbose=0, callbacks=callbacks)
            else:
                _finish(model, callbacks)
    except OSError as error:
        raise UserError(f"training stopped: {error}; the checkpoints hold what was good") from None
    # The others wait here, or they would read what the chief still writes.
    strategy.check_same(run.strategy, "the last step", int(model.step.numpy()))
    run.write_facts(finished_step=int(model.step.numpy()))


def _say_how_it_goes_on(run, start_step, steps_left):
    config, folder = run.config, str(run.folder)
    if not start_step:
        return
    if not steps_left and run.differences.refusal:
        raise UserError(
            f"{folder!r} is complete: it has {start_step} steps, made with {run.differences.refusal}. "
            "Give more steps to go on with what is given now, or choose another --workdir"
        )
    if steps_left % config.steps_per_execution:
        raise UserError(
            f"{folder!r} goes on from step {start_step}, and the {steps_left} steps up to {config.steps} are no multiple of "
            f"steps_per_execution={config.steps_per_execution}: make that 1, or change steps"
        )
    how = f"resuming {folder!r} from step {start_step}"
    print(how if steps_left else f"{folder!r} is complete: it has {start_step} steps", flush=True)
    for difference in run.differences.said:
        print(f"since its last start: {difference}; the weights may differ by rounding", flush=True)


def _finish(model, callbacks):
    """What is left to do at the end of a training whose last step was made by a process that was killed after it."""
    ends = keras.callbacks.CallbackList(callbacks, model=model)
    ends.on_train_begin()
    ends.on_train_end()
