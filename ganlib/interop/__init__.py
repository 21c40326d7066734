"""Interoperability: the authors' networks from their files, and `.keras` files on other Keras backends.

`read` reads the arrays of a file. `generator` and `discriminator` build networks from them.
"""

from ganlib.interop.networks import codes, discriminator, generator
from ganlib.interop.reading import read

__all__ = ["codes", "discriminator", "generator", "read"]
