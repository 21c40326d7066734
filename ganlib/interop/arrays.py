"""`Arrays`: the arrays of an authors' network, assigned to the weights of a ganlib network, each exactly once."""

import re

import numpy as np

from ganlib.errors import UserError

LAYOUTS = {
    "same": None,
    "conv": (2, 3, 1, 0),
    "depthwise": (2, 3, 0, 1),
    "first_of_a_generator": (0, 2, 3, 1),
    "maps": (1, 2, 0),
    "dense": (1, 0),
    "rows": (0, 1),
}
"""Layout of a weight -> the axes that turn PyTorch's array into it, such as ``(out, in, h, w)`` or ``(out, in)``."""

WRAPPERS = ("module.", "Model.")
"""How names begin if PyTorch's ``DataParallel`` or R3GAN's ``training.networks`` wraps the network."""


class Arrays:
    """The arrays of one network by name.

    Args:
        code: The name of the code that the network belongs to, for messages.
        state: Name -> array.

    Examples:
        >>> import numpy as np
        >>> from ganlib.interop.arrays import Arrays
        >>> arrays = Arrays("mimicry", {"l1.weight": np.zeros((8, 4)), "l1.bias": np.zeros(8)})
        >>> arrays.shape("l1.weight", axes=2), arrays.matching(r"l(\\d+)\\.bias")
        ((8, 4), ['1'])
    """

    def __init__(self, code, state):
        self.code = code
        self._state = {name: np.asarray(value) for name, value in _without_wrapper(state).items()}
        self._unused = dict.fromkeys(self._state)

    def __contains__(self, name):
        return name in self._state

    def shape(self, name, axes):
        """Returns the shape of an array.

        Args:
            name: The name of the array.
            axes: The number of axes that it must have.

        Raises:
            UserError: If there is no such array, or it has another number of axes.
        """
        return self._with_axes(name, axes).shape

    def matching(self, pattern):
        """Returns what the group of a regular expression matches in the names that match it wholly, each once, in order."""
        matches = (re.fullmatch(pattern, name) for name in self._state)
        return list(dict.fromkeys(match.group(1) for match in matches if match))

    def take(self, name, layout="same"):
        """Returns an array in a layout of `LAYOUTS`, and counts it as used.

        Raises:
            UserError: If there is no such array.
        """
        axes = LAYOUTS[layout]
        array = self._array(name) if axes is None else np.transpose(self._with_axes(name, len(axes)), axes)
        self._unused.pop(name, None)
        return array

    def assign(self, weight, name, layout="same"):
        """Assigns an array to a weight.

        Args:
            weight: A Keras variable.
            name: The name of the array.
            layout: A key of `LAYOUTS`. Defaults to ``"same"``.

        Raises:
            UserError: If there is no such array, or its shape does not fit.
        """
        self.assign_value(weight, self.take(name, layout), name)

    def assign_value(self, weight, value, name):
        """Assigns a value computed from the array ``name`` to a weight.

        Raises:
            UserError: If its shape does not fit.
        """
        if tuple(weight.shape) != value.shape:
            raise UserError(
                f"array {name!r} of this {self.code} network does not fit: the network needs the shape {tuple(weight.shape)}, "
                f"got {value.shape}"
            )
        value = np.asarray(value, np.float32)
        if not np.isfinite(value).all():
            raise UserError(f"array {name!r} of this {self.code} network has values that are not finite: use another file")
        weight.assign(value)

    def skip(self, pattern):
        """Counts the arrays whose whole name matches a regular expression as used: they have no counterpart."""
        for name in [name for name in self._unused if re.fullmatch(pattern, name)]:
            del self._unused[name]

    def check_all_used(self):
        """Raises a `UserError` that names the arrays that no weight has taken."""
        if self._unused:
            names = ", ".join(list(self._unused)[:5]) + (", ..." if len(self._unused) > 5 else "")
            raise UserError(f"{len(self._unused)} arrays of this {self.code} network are left over: {names}")

    def _with_axes(self, name, axes):
        array = self._array(name)
        if array.ndim != axes:
            raise UserError(f"array {name!r} of this {self.code} network must have {axes} axes, got the shape {array.shape}")
        return array

    def _array(self, name):
        if name not in self._state:
            raise UserError(f"this is not a network of {self.code}: it has no array {name!r}")
        return self._state[name]


def _without_wrapper(state):
    """Removes the beginning that a wrapper adds to all names."""
    for wrapper in WRAPPERS:
        if state and all(name.startswith(wrapper) for name in state):
            state = {name.removeprefix(wrapper): value for name, value in state.items()}
    return state
