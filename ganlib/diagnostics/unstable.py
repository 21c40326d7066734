"""The training is unstable: the loss is not finite or jumps, or the FID rises."""

import numpy as np

from ganlib.diagnostics.finding import confidence
from ganlib.diagnostics.history import finding

FID_RISE = (1.5, 3.0)
"""The newest FID divided by the best one, from which a rise over `FID_ROWS` evaluations is reported."""
FID_ROWS = 3
SKIPPED = (0.01, 0.2)
"""The share of steps that were skipped since their gradients were not finite."""
JUMP = (8.0, 30.0)
"""The largest deviation of a loss from its median, divided by the 90th percentile of the deviations."""
SMALLEST_ROWS = 10


def symptom(history):
    """Finds an unstable training in a `History`: a `Finding`, or None."""
    found = [_stopped(history), _skipped(history)]
    found += [] if history.is_too_short else [_jumps(history), _fid(history)]
    found = list(filter(None, found))
    return finding(
        "unstable",
        [sure for sure, _ in found],
        " ".join(evidence for _, evidence in found),
        "Lower the learning rates, add a penalty such as --config.penalties.r1.weight=10, or set --config.precision=float32 or "
        "mixed_bfloat16. If the FID rises, use the best checkpoint, which is kept.",
    )


def _stopped(history):
    return (1.0, f"A value was not finite: {history.stopped}.") if history.stopped else None


def _skipped(history):
    rows = history.logs[-SMALLEST_ROWS:]
    skipped, last = sum(row.get("non_finite_steps", 0) for row in rows), rows[-1]["step"] if rows else 0
    steps = last - (history.logs[-SMALLEST_ROWS - 1]["step"] if len(history.logs) > SMALLEST_ROWS else 0)
    sure = confidence(skipped / steps, *SKIPPED) if steps > 0 else None
    return (
        None if sure is None else (sure, f"{skipped:.0f} of the last {steps:,} steps were skipped: gradients were not finite.")
    )


def _jumps(history):
    """Returns the confidence in jumps of a loss with the evidence, or None."""
    worst = None
    for name in ("discriminator_loss", "generator_loss"):
        rows = [(row["step"], row[name]) for row in history.logs if name in row and row["step"] >= history.warm_up]
        if len(rows) < SMALLEST_ROWS:
            continue
        values = np.array([value for _, value in rows])
        deviations = np.abs(values - np.median(values))
        usual = max(np.percentile(deviations, 90), 0.05 * np.abs(values).mean(), 1e-6)
        sure = confidence(deviations.max() / usual, *JUMP)
        if sure is not None and (worst is None or sure > worst[0]):
            step, value = rows[int(deviations.argmax())]
            text = (
                f"The {name.replace('_', ' ')} was {value:.3g} at step {step:,}, where its median is {np.median(values):.3g}."
            )
            worst = sure, text
    return worst


def _fid(history):
    values = [(row["step"], row["fid"]) for row in history.logs if "fid" in row]
    fids = np.array([value for _, value in values])
    if len(fids) < FID_ROWS + 1 or not (np.diff(fids[-FID_ROWS - 1 :]) > 0).all():
        return None
    best = int(fids.argmin())
    sure = confidence(fids[-1] / max(fids[best], 1e-12), *FID_RISE)
    text = f"The FID has risen from {fids[best]:.3g} at step {values[best][0]:,} to {fids[-1]:.3g}."
    return None if sure is None else (sure, text)
