import numpy as np
import pytest

import ganlib
from ganlib import data
from ganlib.export import examples
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE, dcgan_gan


@pytest.fixture
def model():
    model = ganlib.SupervisedClassifier(Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 10))
    model.classifier.temperature.assign(0.5)
    return model


def call_of(model):
    return lambda images: {"probabilities": model.classify(images)}


def test_examples_of_a_classifier_are_written_read_and_compared(model, tmp_path):
    assert examples.read(tmp_path) is None
    examples.write(tmp_path, examples.of_classifier(model, data.open("digits", "test")))
    read = examples.read(tmp_path)
    assert (read.step, len(read.inputs["images"]), read.inputs["images"].dtype) == (0, examples.COUNT, np.uint8)
    assert examples.check(read, call_of(model), "it") < 1e-6
    model.classifier.temperature.assign(1.0)  # earlier versions exported this
    with pytest.raises(
        ganlib.UserError, match="it is not the model that was trained: on the examples from training it differs by"
    ):
        examples.check(read, call_of(model), "it")
    with pytest.raises(ganlib.UserError, match=r"'probabilities' has shape \(16, 9\), but"):
        examples.check(read, lambda images: {"probabilities": np.zeros((16, 9))}, "it")
    with pytest.raises(ganlib.UserError, match="is not the model"):
        examples.check(read, lambda images: {"probabilities": np.full((16, 10), np.nan)}, "it")
    content = (tmp_path / examples.NAME).read_bytes()
    for damaged in (content[:200], b"", content[:300] + bytes([content[300] ^ 0x90]) + content[301:]):
        (tmp_path / examples.NAME).write_bytes(damaged)
        with pytest.raises(ganlib.UserError, match="examples.npz' is damaged"):
            examples.read(tmp_path)


def test_difference_is_the_largest_over_the_examples(model):
    reference = examples.of_classifier(model, data.open("digits", "test"))

    def one_is_wrong(images):
        probabilities = model.classify(images)
        probabilities[3] += 0.01
        return {"probabilities": probabilities}

    assert examples.difference(reference, one_is_wrong) == pytest.approx(0.01, rel=1e-3)


def test_examples_of_a_gan_use_its_averaged_generator_and_each_class_in_turn():
    gan = dcgan_gan()
    reference = examples.of_gan(gan)
    assert reference.inputs["labels"].tolist() == [*range(10), *range(6)]
    np.testing.assert_allclose(reference.outputs["images"], gan.generate(examples.COUNT, seed=0), atol=1e-6)
    gan.generator.set_weights([0 * weight for weight in gan.generator.get_weights()])
    call = lambda latents, labels: {"images": gan.generate_from(latents, labels)}  # noqa: E731
    assert examples.difference(reference, call) < 1e-6


def test_few_images_suffice(model):
    source = data.open("digits").pick(np.arange(3))
    source = data.from_arrays("three", source, np.arange(3), tuple("0123456789"))
    np.testing.assert_array_equal(examples.of_classifier(model, source).inputs["images"], source.images)
