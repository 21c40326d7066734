"""With a small frozen graph of the same names, since the real one takes a download."""

import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.metrics import inception_2015


@pytest.fixture
def kernels():
    random = np.random.default_rng(0)
    return random.normal(size=(3, 3, 3, 5)).astype(np.float32), random.normal(size=(5, 7)).astype(np.float32)


@pytest.fixture
def path(tmp_path, kernels):
    """Like the graph of 2015: for one image, from a placeholder through ExpandDims, the resizing inside."""
    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        image = tf1.placeholder(tf.float32, (None, None, 3), name="Cast")
        batch = tf.expand_dims(image, 0, name="ExpandDims")
        resized = tf1.image.resize_bilinear(batch, (12, 12), name="ResizeBilinear")
        convolved = tf.nn.relu(tf.nn.conv2d((resized - 128) / 128, kernels[0], 1, "VALID"))
        pooled = tf.nn.avg_pool2d(convolved, 10, 1, "VALID", name="pool_3")
        logits = tf.matmul(
            tf.reshape(pooled, (1, 5)), tf.constant(kernels[1], name="softmax/weights"), name="softmax/logits/MatMul"
        )
        tf.nn.softmax(logits + 100 * tf.range(7.0), name="softmax")  # the bias that the Inception score leaves out
    path = tmp_path / inception_2015.FILE
    path.write_bytes(graph.as_graph_def(add_shapes=True).SerializeToString())
    return path


def test_it_runs_on_batches_as_the_original_does_on_one_image(path, kernels):
    images = np.random.default_rng(1).integers(0, 256, (5, 9, 9, 3), np.uint8)
    result = inception_2015.load(path).run_by(tf.function, batch_size=3)(images)
    assert result.features.shape == (5, 5)
    for image, features, probabilities in zip(images, result.features, result.probabilities, strict=True):
        resized = tf.compat.v1.image.resize_bilinear(np.float32(image[None]), (12, 12))  # not antialiased
        expected = tf.nn.relu(tf.nn.conv2d((resized - 128) / 128, kernels[0], 1, "VALID")).numpy().mean((0, 1, 2))
        np.testing.assert_allclose(features, expected, rtol=1e-4)
        np.testing.assert_allclose(probabilities, tf.nn.softmax(expected @ kernels[1]), rtol=1e-4)


def test_the_version_follows_from_the_file(path):
    version = inception_2015.load(path).version
    assert len(version) == 12
    assert inception_2015.load(str(path)).version == version


def test_files_that_are_not_it(tmp_path, monkeypatch):
    with pytest.raises(ganlib.UserError, match="no Inception graph at '/nowhere': it is classify_image_graph_def.pb of http"):
        inception_2015.load("/nowhere")
    for content in (b"nonsense", b""):
        (tmp_path / "graph.pb").write_bytes(content)
        with pytest.raises(ganlib.UserError, match="graph.pb' is not the Inception graph of 2015"):
            inception_2015.load(tmp_path / "graph.pb")

    def fail(**arguments):
        raise OSError("no route")

    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inception_2015.keras.utils, "get_file", fail)
    with pytest.raises(ganlib.UserError, match="could not be downloaded .no route.: put classify_image_graph_def.pb of"):
        inception_2015.load()
