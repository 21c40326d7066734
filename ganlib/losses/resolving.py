"""Losses of a GAN by name, as an object, or as a loss of Keras."""

from ganlib.errors import UserError, choose
from ganlib.losses import of_keras
from ganlib.losses.adversarial import LOSSES


def get(loss):
    """Returns a loss by name, or the object itself if it is not a name.

    Args:
        loss: A name from `LOSSES`, or an object with ``discriminator(real, fake)`` and ``generator(fake, real)``, and
            optionally ``paired = True``. Also Keras's binary cross-entropy: see `ganlib.losses.of_keras`.

    Raises:
        UserError: If the name is unknown (the message lists the known names), or the object lacks one of these functions.

    Examples:
        >>> import numpy as np
        >>> from ganlib import losses
        >>> float(losses.get("hinge").discriminator(np.array([2.0, 0.0]), np.array([-3.0, 1.0])))
        1.5
    """
    if of_keras.is_of_keras(loss):
        return of_keras.converted(loss)
    if isinstance(loss, str):
        return choose("loss", loss, LOSSES)
    if not all(callable(getattr(loss, network, None)) for network in ("discriminator", "generator")):
        raise UserError(
            f"a loss must be a name, such as 'hinge', or a ganlib.losses.Loss of a function for each network, got {loss!r:.60}"
        )
    return loss
