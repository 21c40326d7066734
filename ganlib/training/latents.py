"""The latents from which images are generated outside of training, a function of the seed."""

import numbers

from ganlib.errors import UserError, integer
from ganlib.seeds import check_seed
from ganlib.training.random_stream import RandomStream


def latents_for(count, latent_dim, seed, truncation=None):
    """Draws ``(count, latent_dim)`` float32 latents. The same seed gives the same first rows for any count.

    Args:
        count: The number of latents.
        latent_dim: The dimension of the latents.
        seed: An integer.
        truncation: The largest absolute value of a latent; None does not truncate. Defaults to None.

    Raises:
        UserError: If ``truncation`` is not positive, or ``count`` or ``seed`` is out of range.
    """
    count, seed = integer("count", count, 0), check_seed(seed)
    if truncation is None:
        draw = RandomStream(seed).normal
    elif isinstance(truncation, numbers.Real) and truncation > 0:
        draw = lambda shape: RandomStream(seed).truncated_normal(shape, truncation)  # noqa: E731
    else:
        raise UserError(f"truncation must be positive, got {truncation}")
    return draw((count, latent_dim)).numpy()
