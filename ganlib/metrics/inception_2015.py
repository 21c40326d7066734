"""The Inception network of December 2015 as a frozen graph, which is used for published FIDs and Inception scores.

The input is images of any size with values in ``[0, 255]``. The graph resizes them to 299x299 with a bilinear filter without
antialiasing, as all code that compares with the papers does (Heusel et al. 2017, arXiv:1706.08500). The features are its 2,048
pooled activations. The probabilities omit the bias of the last layer, as in the code of Salimans et al. 2016
(arXiv:1606.03498).
"""

import hashlib
import pathlib

import keras
import tensorflow as tf

from ganlib import versions
from ganlib.errors import UserError
from ganlib.metrics import cache
from ganlib.metrics.arrays import log
from ganlib.metrics.extractor import FeatureExtractor

ARCHIVE = "http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
FILE = "classify_image_graph_def.pb"
MD5 = "e6bb154e85f5d4331c22abcddb5dcf31"
"""The checksum of the file, of 95,673,916 bytes."""
SIZE = 299
IMAGES, POOLED, LAST_LAYER = "ExpandDims", "pool_3", "softmax/logits/MatMul"
OLD_BATCH_NORM = "BatchNormWithGlobalNormalization"


def load(path=None, clean=False):
    """Loads the frozen graph as a `FeatureExtractor`.

    Args:
        path: The file of the graph, ``classify_image_graph_def.pb``. If None, the file in the cache folder is used, and
            downloaded if necessary. A warning is logged if it is not the published file. Defaults to None.
        clean: Whether images are first resized to 299x299 with an antialiased bicubic filter and clipped to [0, 255], as in
            clean-FID (Parmar et al. 2022, arXiv:2104.11222). Defaults to False.

    Raises:
        UserError: If the file is missing and cannot be downloaded, or contains another graph.
    """
    path = pathlib.Path(path) if path else _download()
    try:
        content = path.read_bytes()
        graph = tf.compat.v1.GraphDef.FromString(content)
        network = _network(graph)
        network(tf.zeros((2, SIZE, SIZE, 3)))  # another graph can fail on its first images
    except FileNotFoundError:
        raise UserError(f"no Inception graph at {str(path)!r}: extract {FILE} from {ARCHIVE}") from None
    except Exception as error:  # other files can fail in any way
        raise UserError(
            f"{str(path)!r} is not the Inception graph of 2015 ({' '.join(str(error).split())[:120]}): "
            f"extract {FILE} from {ARCHIVE}"
        ) from None
    if hashlib.md5(content).hexdigest() != MD5:
        log.warning("%s is not the published Inception graph of 2015: numbers are not comparable with published ones", path)
    version = versions.of(hashlib.sha256(content).hexdigest(), versions.of_code("metrics/inception_2015.py"))
    if not clean:
        return FeatureExtractor("inception_2015", version, network, channels=3)

    def clipped(images):
        return network(tf.clip_by_value(images, 0.0, 255.0))  # bicubic filters exceed the range

    return FeatureExtractor("inception_2015_clean", version, clipped, channels=3, size=SIZE)


def _network(graph):
    weights = next((node.input[1].split(":")[0] for node in graph.node if node.name == LAST_LAYER), None)
    if weights is None:
        raise ValueError(f"no layer {LAST_LAYER}")
    _modernize(graph)
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, [POOLED, weights])  # later layers support only one image

    def imported(images):
        outputs = [f"{POOLED}:0", f"{weights}:0"]
        pooled, kernel = tf.graph_util.import_graph_def(graph, {f"{IMAGES}:0": images}, outputs, name="")
        features = tf.reshape(pooled, (-1, pooled.shape[-1]))
        return {"features": features, "probabilities": tf.nn.softmax(tf.matmul(features, kernel))}

    return tf.compat.v1.wrap_function(imported, [tf.TensorSpec((None, None, None, 3), tf.float32)])


def _modernize(graph):
    """Replaces, in place, the batch normalization operation that TensorFlow has removed since the graph was written.

    Also removes the shapes stored in the graph, which are those of a single image.
    """
    for node in list(graph.node):
        node.attr.pop("_output_shapes", None)
        if node.op == OLD_BATCH_NORM:
            images, mean, variance, offset, scale = (name for name in node.input if not name.startswith("^"))
            control_inputs = [name for name in node.input if name.startswith("^")]
            if not node.attr["scale_after_normalization"].b:
                ones = graph.node.add(name=f"{node.name}/ones", op="OnesLike", input=[offset])
                ones.attr["T"].CopyFrom(node.attr["T"])
                scale = ones.name
            attributes = {"T": node.attr["T"], "epsilon": node.attr["variance_epsilon"]}
            attributes["is_training"] = tf.compat.v1.AttrValue(b=False)
            inputs = [images, scale, offset, mean, variance, *control_inputs]
            node.CopyFrom(tf.compat.v1.NodeDef(name=node.name, op="FusedBatchNorm", input=inputs, attr=attributes))


def _download():
    path = cache.default_folder() / FILE
    if not path.exists():
        try:
            folder = keras.utils.get_file(
                origin=ARCHIVE, extract=True, cache_dir=str(cache.default_folder()), cache_subdir="inception_2015"
            )
            downloaded = pathlib.Path(folder) / FILE
            checksum = hashlib.md5(downloaded.read_bytes()).hexdigest()
            if checksum != MD5:
                raise ValueError(f"its checksum is {checksum}, not {MD5}")
            downloaded.replace(path)
        except Exception as error:  # downloads can fail in any way
            raise UserError(
                f"the Inception graph of 2015 is not at {str(path)!r} and could not be downloaded "
                f"({' '.join(str(error).split())[:120]}): put {FILE} from {ARCHIVE} there"
            ) from None
    return path
