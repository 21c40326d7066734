"""The averaged generator lags: it still makes images of a much earlier step."""

from ganlib.diagnostics.history import finding

LAG = (0.1, 0.4)
"""How much larger the energy distance of the averaged generator's images from real ones is than that of the generator's."""


def measures(snapshot):
    """Returns the ``average_lag`` of a `Snapshot`."""
    return {"average_lag": snapshot.image_distance - snapshot.current_distance}


def symptom(history):
    """Finds an average that lags in a `History`: a `Finding`, or None."""
    lag, distance = history.value("average_lag"), history.value("image_distance")
    if lag is None or distance < 2 * (distance - lag):
        return None
    return finding(
        "stale_average",
        [history.reaches("average_lag", *LAG)],
        f"The energy distance from real images is {distance:.2f} for the images of the averaged generator, which are the ones "
        f"that are used, but {distance - lag:.2f} for those of the generator itself.",
        "Lower --config.ema_decay: an average over the last tenth of the training has a decay of 1 - 10 / steps. Wait if "
        "training has just begun.",
    )
