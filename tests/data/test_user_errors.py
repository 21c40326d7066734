import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import user_errors


def test_the_message_of_an_assertion_in_a_graph_is_raised_without_tensorflows_details():
    examples = tf.data.Dataset.from_tensor_slices((np.zeros((4, 4, 4, 1), np.uint8), np.array([0, -1, 1, 0])))
    source = data.Source("big", (4, 4, 1), 4, class_names=("a", "b"), stream=lambda seed, start: examples.skip(start))
    message = "^big has an image with the label -1: open it without labels$"
    with pytest.raises(ganlib.UserError, match=message), user_errors.unwrapped():
        next(iter(data.batches(source, 4)))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_damaged_image_is_one_line(name):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(file, name)
    damaged = tf.data.Dataset.from_tensors(file.getvalue()[:100]).map(tf.io.decode_image)
    message = "^an image of the dataset is damaged: open the dataset with skip_corrupt"
    with pytest.raises(ganlib.UserError, match=message), user_errors.unwrapped():
        next(iter(damaged))


def test_other_errors_of_tensorflow_stay_unchanged():
    with pytest.raises(tf.errors.InvalidArgumentError, match="x_value"), user_errors.unwrapped():
        tf.debugging.assert_equal(tf.constant(1), tf.constant(2), message="x_value")
