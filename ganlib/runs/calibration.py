"""Calibration of the classifier of a finished run."""

from ganlib.evaluation import classification


def calibrate(run, model, held_out):
    """Calibrates the averaged classifier of a finished run and stores its temperature in the newest checkpoint.

    The checkpoint is replaced atomically: if the process is killed, either the old or the new one exists. Calling it again
    writes nothing, so rerunning the command calibrates a run that was killed before its calibration.

    Args:
        run: A `ganlib.runs.Run`.
        model: The model of the run, as returned by `ganlib.runs.fit`.
        held_out: The held-out images, as in `ganlib.evaluation.classification.calibrate`.

    Returns:
        The temperature, a float.
    """
    previous = float(model.classifier.temperature.numpy())
    temperature = classification.calibrate(model.classifier, held_out)
    if temperature != previous:
        checkpoints = run.checkpoints(model)
        checkpoints.save(anew=True)
        checkpoints.wait()
    return temperature
