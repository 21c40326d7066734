"""The authors' codes whose networks ganlib takes over, one file each.

A file defines ``generator(arrays)`` and ``discriminator(arrays)``, each from `ganlib.interop.arrays.Arrays` to a ganlib network
with these weights, and

- ``SOURCE``: the address of the code;
- ``LICENSE``: the licence of the code, as a sentence;
- ``GENERATOR_PARTS`` and ``DISCRIMINATOR_PARTS``: the names of these networks in the authors' files, the preferred one first.
"""
