"""What the comparisons of mimicry and BigGAN share: runs from one start state, in evaluation and in a step of each network."""

import numpy as np

from experiments.studies.parity import comparison
from ganlib import interop

KINDS = {"G": "generator", "D": "discriminator"}
"""The letter of a network in the files -> its name."""


def of_all_runs(file, code, of_run):
    """Returns the differences of ``of_run(file, run, generator, discriminator, names)`` for every run of a file.

    Each run begins with new networks from the start state. ``names`` has the `comparison.Names` of both.
    """
    states = {net: file.group(f"state/{net}/") for net in KINDS}
    names = {net: comparison.Names(code, kind, states[net]) for net, kind in KINDS.items()}
    result = {}
    for run in ("eval", "D_step", "G_step"):
        networks = [getattr(interop, kind)(code, states[net]) for net, kind in KINDS.items()]
        result |= of_run(file, run, *networks, names)
    return result


def buffer_differences(file, run, networks, names, ignored, embedding):
    """Returns the differences of the statistics and singular vectors after a run, by family.

    Args:
        file: The `comparison.ReferenceFile`.
        run: The name of the run.
        networks: ``(generator, discriminator)``.
        names: The `comparison.Names` of both, by letter.
        ignored: Endings of names that are not compared.
        embedding: The names of the matrix of the label embedding and of its singular vector.
    """
    result = {}
    for net, network in zip(KINDS, networks, strict=True):
        references = file.group(f"out/{run}/buffers/{net}/")
        references = {name: value for name, value in references.items() if not name.endswith(ignored)}
        if not references:
            continue
        values, (matrix, vector) = names[net].weights(network), embedding
        if vector in references:  # ganlib stores the vector of the other side, and the code that of the classes
            product = references[vector].ravel() @ values[matrix]
            stored = network.label_head.embedding.singular_vector.numpy()
            values[vector] = references[vector] + np.abs(stored - product / np.linalg.norm(product)).max()
        result[f"{run}: buffers of {net}"] = comparison.largest(values, references)
    return result
