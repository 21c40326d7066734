"""Initializers of the authors' codes, and a fast orthogonal one."""

import contextlib
import contextvars
import math

import keras
import numpy as np
import scipy.linalg

_skips = contextvars.ContextVar("skips", default=False)


def uniform(fan_in):
    """Returns the initializers with which PyTorch creates dense and convolutional layers, as arguments of a Keras layer.

    Kernels and biases are drawn from U(-b, b) with b = 1 / sqrt(fan_in).

    Args:
        fan_in: The number of inputs of each output.

    Examples:
        >>> from ganlib.layers import initializers
        >>> sorted(initializers.uniform(fan_in=16))
        ['bias_initializer', 'kernel_initializer']
    """
    bound = fan_in**-0.5
    # One object each: Keras warns if an initializer without a seed is used twice.
    return {name: keras.initializers.RandomUniform(-bound, bound) for name in ("kernel_initializer", "bias_initializer")}


def glorot(gain=1.0):
    """Returns Glorot's uniform initializer times a gain: the variance is gain^2 * 2 / (fan-in + fan-out)."""
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="uniform")


@keras.saving.register_keras_serializable("ganlib")
class Orthogonal(keras.initializers.Orthogonal):
    """`keras.initializers.Orthogonal` with the same values up to rounding, three times as fast on a CPU.

    Keras factorizes a normal matrix A = QR with Householder reflections, and makes the diagonal of R positive. Then R is also
    the Cholesky factor of A^T A, and Q = A R^-1, which consists of fast matrix products. They are computed in double precision,
    so that their rounding errors are below those of float32.

    Args:
        gain: The factor of the orthogonal matrix. Defaults to 1.0.
        seed: As in Keras. Defaults to None.

    Examples:
        >>> import numpy as np
        >>> from ganlib.layers import initializers
        >>> kernel = np.reshape(initializers.Orthogonal(seed=0)((3, 3, 8, 16)), (72, 16))
        >>> np.allclose(kernel.T @ kernel, np.eye(16), atol=1e-5)
        True
    """

    def __call__(self, shape, dtype=None):
        if _skips.get():
            return keras.ops.zeros(shape, dtype)
        if keras.backend.backend() != "tensorflow" or len(shape) < 2:
            return super().__call__(shape, dtype)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = max(rows, columns), min(rows, columns)
        drawn = keras.random.normal(size, seed=self.seed, dtype=dtype)
        if not hasattr(drawn, "numpy"):  # inside a graph
            return super().__call__(shape, dtype)
        normal = np.float64(drawn)
        factor = scipy.linalg.cholesky(normal.T @ normal, lower=True)
        transposed = scipy.linalg.solve_triangular(factor, normal.T, lower=True)
        kernel = transposed if rows < columns else transposed.T
        return keras.ops.convert_to_tensor(self.gain * kernel.reshape(shape), drawn.dtype.name)


@contextlib.contextmanager
def skipped():
    """Fills with zeros what `Orthogonal` would initialize in the block. Use it if all weights are set afterwards."""
    token = _skips.set(True)
    try:
        yield
    finally:
        _skips.reset(token)


def get(initializer):
    """Returns a new initializer from its name or its config, or None for None. ``"orthogonal"`` is `Orthogonal`."""
    return Orthogonal() if initializer == "orthogonal" else initializer and keras.initializers.get(initializer)
