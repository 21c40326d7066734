"""The Inception network of December 2015, as a frozen graph: the one that published FIDs and Inception scores use.

Images go in at their own size with values in ``[0, 255]``; the graph resizes them to 299x299 itself, by a bilinear
filter without antialiasing, as every code that compares with the papers does (Heusel et al. 2017,
arXiv:1706.08500). The features are its 2,048 pooled activations. The probabilities leave out the last layer's bias,
as the code of Salimans et al. 2016 (arXiv:1606.03498) does.
"""

import hashlib
import pathlib

import keras
import tensorflow as tf

from ganlib import versions
from ganlib.errors import UserError
from ganlib.metrics import cache
from ganlib.metrics.extractor import FeatureExtractor

ARCHIVE = "http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
FILE = "classify_image_graph_def.pb"
IMAGES, POOLED, LAST_LAYER = "ExpandDims", "pool_3", "softmax/logits/MatMul"
OLD_BATCH_NORM = "BatchNormWithGlobalNormalization"


def load(path=None):
    """The frozen graph as a `FeatureExtractor`.

    Args:
        path: the graph's file, ``classify_image_graph_def.pb``; None looks into the cache folder and downloads it there.

    Raises:
        UserError: if there is no such file and it cannot be downloaded, or it is another graph.
    """
    path = pathlib.Path(path) if path else _downloaded()
    try:
        content = path.read_bytes()
        graph = tf.compat.v1.GraphDef.FromString(content)
        network = _network(graph)
    except FileNotFoundError:
        raise UserError(f"no Inception graph at {str(path)!r}: it is {FILE} of {ARCHIVE}") from None
    except Exception as error:  # whatever a file of another kind leads to
        raise UserError(
            f"{str(path)!r} is not the Inception graph of 2015 ({' '.join(str(error).split())[:120]}): "
            f"it is {FILE} of {ARCHIVE}"
        ) from None
    version = versions.of(hashlib.sha256(content).hexdigest(), versions.of_code("metrics/inception_2015.py"))
    return FeatureExtractor("inception_2015", version, network, channels=3)


def _network(graph):
    weights = next((node.input[1].split(":")[0] for node in graph.node if node.name == LAST_LAYER), None)
    if weights is None:
        raise ValueError(f"it has no {LAST_LAYER}")
    _modernize(graph)
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, [POOLED, weights])  # what lies behind is for one image

    def imported(images):
        outputs = [f"{POOLED}:0", f"{weights}:0"]
        pooled, kernel = tf.graph_util.import_graph_def(graph, {f"{IMAGES}:0": images}, outputs, name="")
        features = tf.reshape(pooled, (-1, pooled.shape[-1]))
        return {"features": features, "probabilities": tf.nn.softmax(tf.matmul(features, kernel))}

    return tf.compat.v1.wrap_function(imported, [tf.TensorSpec((None, None, None, 3), tf.float32)])


def _modernize(graph):
    """Changes, in place, what TensorFlow has removed since the graph's version: its batch norm.

    The shapes noted in the graph go, too, since they are those of one image.
    """
    for node in list(graph.node):
        node.attr.pop("_output_shapes", None)
        if node.op == OLD_BATCH_NORM:
            images, mean, variance, offset, scale = node.input
            if not node.attr["scale_after_normalization"].b:
                ones = graph.node.add(name=f"{node.name}/ones", op="OnesLike", input=[offset])
                ones.attr["T"].CopyFrom(node.attr["T"])
                scale = ones.name
            attributes = {"T": node.attr["T"], "epsilon": node.attr["variance_epsilon"]}
            node.CopyFrom(tf.compat.v1.NodeDef(
                name=node.name, op="FusedBatchNorm", input=[images, scale, offset, mean, variance],
                attr=attributes | {"is_training": tf.compat.v1.AttrValue(b=False)},
            ))  # fmt: skip


def _downloaded():
    path = cache.default_folder() / FILE
    if not path.exists():
        try:
            folder = keras.utils.get_file(
                origin=ARCHIVE, extract=True, cache_dir=str(cache.default_folder()), cache_subdir="inception_2015"
            )
            (pathlib.Path(folder) / FILE).replace(path)
        except Exception as error:  # the network's many ways to fail
            raise UserError(
                f"the Inception graph of 2015 is not at {str(path)!r} and could not be downloaded "
                f"({' '.join(str(error).split())[:120]}): put {FILE} of {ARCHIVE} there"
            ) from None
    return path
