"""Tests with a small frozen graph that has the same ops, names and version, since the real one must be downloaded."""

import hashlib

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from PIL import Image

import ganlib
from ganlib.metrics import features, inception_2015

PRODUCER = 8
"""The version of the real graph, older than version 9, which removed its batch normalization."""


@pytest.fixture
def graph():
    """A graph with the ops and attributes of the 2015 graph: from a JPEG to one image, with a fixed size after pooling."""
    rng = np.random.default_rng(0)
    graph = tf.compat.v1.GraphDef()
    graph.versions.producer = PRODUCER

    def node(name, op, *inputs, **attributes):
        new_node = graph.node.add(name=name, op=op, input=inputs)
        for key, value in attributes.items():
            set_attribute(new_node.attr[key], value)

    def constant(name, value):
        value = np.asarray(value)
        node(name, "Const", dtype=tf.as_dtype(value.dtype), value=value)

    def convolution(name, source, shape, scaled):
        constant(f"{name}/conv2d_params", rng.normal(size=shape, scale=0.3).astype(np.float32))
        node(f"{name}/Conv2D", "Conv2D", source, f"{name}/conv2d_params", T=tf.float32, padding=b"SAME", strides=[1, 1, 1, 1],
             use_cudnn_on_gpu=True, _output_shapes=[[1, 12, 12, shape[-1]]])  # fmt: skip
        parameters = [f"{name}/batchnorm/{parameter}" for parameter in ("moving_mean", "moving_variance", "beta", "gamma")]
        for parameter in parameters:
            constant(parameter, rng.uniform(0.5, 2.0, shape[-1]).astype(np.float32))
        inputs = [f"{name}/Conv2D", *parameters, *(["^Mul"] if scaled else [])]  # a control input may follow the others
        node(f"{name}/batchnorm", "BatchNormWithGlobalNormalization", *inputs, T=tf.float32,
             variance_epsilon=0.001, scale_after_normalization=scaled)  # fmt: skip
        node(f"{name}/CheckNumerics", "CheckNumerics", f"{name}/batchnorm", T=tf.float32, message=b"not finite")
        node(f"{name}/control_dependency", "Identity", f"{name}/batchnorm", f"^{name}/CheckNumerics", T=tf.float32)
        node(name, "Relu", f"{name}/control_dependency", T=tf.float32)

    node("DecodeJpeg/contents", "Const", dtype=tf.string, value=np.array(b"no JPEG"))
    node("DecodeJpeg", "DecodeJpeg", "DecodeJpeg/contents", channels=3, ratio=1, fancy_upscaling=True,
         try_recover_truncated=False, acceptable_fraction=1.0)  # fmt: skip
    node("Cast", "Cast", "DecodeJpeg", SrcT=tf.uint8, DstT=tf.float32)
    constant("ExpandDims/dim", np.int32(0))
    node("ExpandDims", "ExpandDims", "Cast", "ExpandDims/dim", T=tf.float32)
    constant("ResizeBilinear/size", np.int32([12, 12]))
    node("ResizeBilinear", "ResizeBilinear", "ExpandDims", "ResizeBilinear/size", T=tf.float32)
    constant("Sub/y", np.float32(128))
    node("Sub", "Sub", "ResizeBilinear", "Sub/y", T=tf.float32)
    constant("Mul/y", np.float32(1 / 128))
    node("Mul", "Mul", "Sub", "Mul/y", T=tf.float32)
    convolution("conv", "Mul", (3, 3, 3, 5), scaled=False)  # like all in the real graph
    convolution("conv_1", "conv", (3, 3, 5, 4), scaled=True)
    constant("mixed/join/concat_dim", np.int32(3))
    node("mixed/join", "Concat", "mixed/join/concat_dim", "conv", "conv_1", T=tf.float32, N=2)  # the axis is the first input
    node(
        "pool", "MaxPool", "mixed/join", ksize=[1, 3, 3, 1], strides=[1, 1, 1, 1], padding=b"SAME"
    )  # this version has no attribute T
    node("pool_3", "AvgPool", "pool", ksize=[1, 12, 12, 1], strides=[1, 1, 1, 1], padding=b"VALID", T=tf.float32,
         _output_shapes=[[1, 1, 1, 9]])  # fmt: skip
    constant("pool_3/_reshape/shape", np.int32([1, 9]))
    node("pool_3/_reshape", "Reshape", "pool_3", "pool_3/_reshape/shape", T=tf.float32)
    constant("softmax/weights", rng.normal(size=(9, 7)).astype(np.float32))
    node("softmax/logits/MatMul", "MatMul", "pool_3/_reshape", "softmax/weights", T=tf.float32)
    constant("softmax/biases", np.float32(100 * np.arange(7)))  # omitted by the Inception score
    node("softmax/logits", "BiasAdd", "softmax/logits/MatMul", "softmax/biases", T=tf.float32)
    node("softmax", "Softmax", "softmax/logits", T=tf.float32)
    return graph


def set_attribute(attribute, value):
    """Sets the attribute of a node to a Python value."""
    if isinstance(value, tf.DType):
        attribute.type = value.as_datatype_enum
    elif isinstance(value, bool):
        attribute.b = value
    elif isinstance(value, bytes):
        attribute.s = value
    elif isinstance(value, (np.ndarray, np.generic)):
        attribute.tensor.CopyFrom(tf.make_tensor_proto(value))
    elif isinstance(value, list) and isinstance(value[0], list):
        attribute.list.shape.extend(tf.TensorShape(shape).as_proto() for shape in value)
    elif isinstance(value, list):
        attribute.list.i.extend(value)
    elif isinstance(value, float):
        attribute.f = value
    else:
        attribute.i = value


@pytest.fixture
def path(tmp_path, graph):
    path = tmp_path / inception_2015.FILE
    path.write_bytes(graph.SerializeToString())
    return path


def test_batches_match_a_session_with_the_old_ops_for_each_image(path, graph):
    images = np.random.default_rng(1).integers(0, 256, (5, 9, 9, 3), np.uint8)
    result = inception_2015.load(path).run_by(tf.function, batch_size=3)(images)
    assert result.features.shape == (5, 9)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        tf.compat.v1.import_graph_def(graph, name="")
        assert session.graph.graph_def_versions.producer == PRODUCER
        fetches = ["pool_3:0", "softmax/logits/MatMul:0"]
        for image, features, probabilities in zip(images, result.features, result.probabilities, strict=True):
            pooled, logits = session.run(fetches, {"ExpandDims:0": image[None].astype(np.float32)})
            np.testing.assert_allclose(features, pooled.ravel(), rtol=1e-5)
            np.testing.assert_allclose(probabilities, scipy.special.softmax(logits[0]), rtol=1e-4)


def test_clean_resizing_matches_pillow(path):
    images = np.random.default_rng(1).integers(0, 256, (2, 400, 500, 3), np.uint8)
    clean = inception_2015.load(path, clean=True)
    resized = np.empty((2, 299, 299, 3), np.float32)
    for image, result in zip(images, resized, strict=True):
        for channel in range(3):
            plane = Image.fromarray(np.float32(image[..., channel])).resize((299, 299), Image.Resampling.BICUBIC)
            result[..., channel] = np.clip(np.asarray(plane), 0, 255)  # as clean-FID: not rounded
    plain = inception_2015.load(path)
    np.testing.assert_allclose(clean(images).features, plain.unrounded(resized).features, rtol=1e-4)
    assert np.abs(clean(images).features - plain(images).features).max() > 1e-2
    assert (clean.name, clean.version != plain.version) == ("inception_2015_clean", True)


def test_both_names_take_a_path(path):
    for name in ("inception_2015", "inception_2015_clean"):
        assert features.get(f"{name}:{path}").name == name


def test_a_graph_that_fails_on_images_is_rejected(tmp_path, graph):
    (node,) = (node for node in graph.node if node.name == "conv/conv2d_params")
    set_attribute(node.attr["value"], np.zeros((3, 3, 4, 5), np.float32))  # for four channels
    (tmp_path / "graph.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(ganlib.UserError, match=r"^'[^\n]*graph.pb' is not the Inception graph of 2015 [^\n]*$"):
        inception_2015.load(tmp_path / "graph.pb")


def test_another_file_than_the_published_one_is_reported(path, monkeypatch, caplog):
    inception_2015.load(path)
    assert "is not the published Inception graph of 2015: numbers are not comparable" in caplog.text
    caplog.clear()
    monkeypatch.setattr(inception_2015, "MD5", hashlib.md5(path.read_bytes()).hexdigest())
    inception_2015.load(path)
    assert not caplog.text


def test_a_download_is_verified_by_its_checksum(path, tmp_path, monkeypatch):
    cached = tmp_path / "cache" / inception_2015.FILE
    cached.parent.mkdir()
    monkeypatch.setenv("GANLIB_CACHE", str(cached.parent))
    monkeypatch.setattr(inception_2015.keras.utils, "get_file", lambda **arguments: str(path.parent))
    checksum = hashlib.md5(path.read_bytes()).hexdigest()
    with pytest.raises(ganlib.UserError, match=f"could not be downloaded .its checksum is {checksum}, not e6bb154e"):
        inception_2015.load()
    assert not cached.exists()
    monkeypatch.setattr(inception_2015, "MD5", checksum)
    inception_2015.load()
    assert cached.exists()
    monkeypatch.setattr(inception_2015.keras.utils, "get_file", None)
    inception_2015.load()  # the file is found


def test_the_version_depends_on_the_file(path):
    version = inception_2015.load(path).version
    assert len(version) == 12
    assert inception_2015.load(str(path)).version == version


def test_other_files_are_rejected(tmp_path, monkeypatch):
    with pytest.raises(
        ganlib.UserError, match="no Inception graph at '/nowhere': extract classify_image_graph_def.pb from http"
    ):
        inception_2015.load("/nowhere")
    for content in (b"nonsense", b""):
        (tmp_path / "graph.pb").write_bytes(content)
        with pytest.raises(ganlib.UserError, match="graph.pb' is not the Inception graph of 2015"):
            inception_2015.load(tmp_path / "graph.pb")

    def fail(**arguments):
        raise OSError("no route")

    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inception_2015.keras.utils, "get_file", fail)
    with pytest.raises(ganlib.UserError, match="could not be downloaded .no route.: put classify_image_graph_def.pb from"):
        inception_2015.load()
