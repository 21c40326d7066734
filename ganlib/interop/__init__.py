"""Interoperability: the authors' networks from their files, and `.keras` files on other Keras backends.

`ganlib.interop.generator` and `ganlib.interop.discriminator` build networks from the arrays of the authors' codes.
"""

from ganlib.interop.networks import codes, discriminator, generator

__all__ = ["codes", "discriminator", "generator"]
