"""A .keras file on Keras's other backends."""

import pytest

import ganlib
from ganlib import export
from ganlib.networks import Classifier, dcgan
from tests.export.test_formats import GENERATORS, SHAPE


@pytest.mark.parametrize("backend", export.keras_file.BACKENDS)
def test_keras_file_computes_the_same_on_other_backends(backend, tmp_path):
    pytest.importorskip(backend)
    generator = GENERATORS["dcgan"]()
    classifier = Classifier(dcgan.Discriminator(SHAPE, 8).body, SHAPE, 3)
    for network, functions in (
        (generator, export.functions.of_generator(generator)),
        (classifier, export.functions.of_classifier(classifier, ["a", "b", "c"])),
    ):
        path = tmp_path / f"{functions[0].name}.keras"
        export.keras_file.write(functions, network, path)
        differences = export.verification.differences(functions, export.keras_file.read(path, backend))
        assert differences[functions[0].name] <= export.verification.TOLERANCE


def test_unavailable_backend_is_reported(tmp_path):
    with pytest.raises(ganlib.UserError, match="the Keras backend 'theano' is not available: install one of torch, jax"):
        export.keras_file.read(tmp_path / "network.keras", "theano")
