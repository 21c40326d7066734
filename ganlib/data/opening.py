"""Opens a dataset by name: scikit-learn's digits, any TFDS image dataset, or a folder of images.

Every source has uint8 images of one size. Small datasets are held in memory, large ones are read on demand.
"""

import numpy as np

from ganlib.data import fitting, folder_source, listing, sizes, tfds_source
from ganlib.data.labels import split as split_labels
from ganlib.data.source import from_arrays
from ganlib.data.table_columns import Choice
from ganlib.errors import UserError, choose

DIGITS_TEST_PER_CLASS = 50


def open(
    name="digits",
    split="train",
    image_size=None,
    data_dir=None,
    skip_corrupt=False,
    background="white",
    label_file=None,
    file_column=None,
    label_column=None,
    fit="crop",
):
    """Opens a dataset.

    Args:
        name: ``"digits"`` (scikit-learn's 1,797 handwritten 8x8 digits, no download), ``"folder:PATH"`` with the path of a
            folder or a zip file, ``"prepared:PATH"`` (written by `experiments.prepare`), or the name of a TensorFlow Datasets
            image dataset, such as ``"mnist"`` or ``"cifar10"``. Defaults to ``"digits"``.
        split: ``"train"`` or ``"test"``. A TFDS dataset also accepts its other splits, and a folder ``"validation"``. The
            splits of a folder are its subfolders, such as ``train``, ``val`` and ``test``. Defaults to ``"train"``.
        image_size: The height and width in pixels: an integer for square images, or ``(height, width)``. None keeps the
            original size. Images of another size are fitted by ``fit``, then resized with Pillow's antialiased Lanczos filter.
            A string such as ``"64x96"``, the height first, is also accepted. Defaults to None.
        data_dir: The folder of TFDS datasets; None uses ``TFDS_DATA_DIR``, then ``~/tensorflow_datasets``. Defaults to None.
        skip_corrupt: Whether to skip unreadable files of a folder and log their number, instead of failing. Defaults to False.
        background: The color behind transparent pixels of images in a folder, and of the borders of ``"pad"``, as Pillow names
            colors. Defaults to ``"white"``.
        label_file: A table of the labels of the images in a folder: its path, relative to the folder or to the current folder.
            None finds a table, such as ``labels.csv`` or ``dataset.json``, by its content. ``"none"`` uses no table. Defaults
            to None.
        file_column: The name of the column of the table that names images. None finds it. Defaults to None.
        label_column: The name of the column of the table with the labels. None finds it. Defaults to None.
        fit: How images of another shape are fitted: ``"crop"`` to the central part, ``"pad"`` with ``background``, or
            ``"stretch"``. Defaults to ``"crop"``.

    Returns:
        A `Source`. If a table gives no label for some images, these are only in its ``all_images``.

    Raises:
        UserError: If the dataset or split is unknown, ``image_size`` is invalid, the folder is missing or empty, or a file is
            not an image.

    Examples:
        >>> import ganlib
        >>> digits = ganlib.data.open("digits")
        >>> digits.image_shape, digits.num_examples, digits.num_classes
        ((8, 8, 1), 1297, 10)
        >>> ganlib.data.open("digits", image_size=(16, 24)).image_shape
        (16, 24, 1)
    """
    image_size = sizes.parsed(image_size)
    for kind, value in (("dataset", name), ("split", split)):
        if not isinstance(value, str):
            raise UserError(f"the {kind} must be a string, such as 'digits', 'folder:PATH' or 'train', got {value!r}")
    choose("fit", fit, dict.fromkeys(fitting.FITS))
    if name == "digits":
        return _open_digits(split, image_size)
    if name.startswith("folder:"):
        choice = Choice(label_file, file_column, label_column)
        return folder_source.open_folder(name.removeprefix("folder:"), split, image_size, skip_corrupt, background, choice, fit)
    if name.startswith("prepared:"):
        return tfds_source.open_prepared(name.removeprefix("prepared:"), split, image_size, fit, background)
    return tfds_source.open_tfds(name, split, image_size, data_dir, fit, background)


def splits(name, data_dir=None, label_file=None, file_column=None, label_column=None):
    """Returns the names of the splits of a dataset as a tuple; the arguments are those of `open`.

    Raises:
        UserError: If the dataset is unknown or a folder is missing or ambiguous.
    """
    if name == "digits":
        return ("train", "test")
    if name.startswith("folder:"):
        return listing.splits(name.removeprefix("folder:"), Choice(label_file, file_column, label_column))
    if name.startswith("prepared:"):
        return tfds_source.splits_of_prepared(name.removeprefix("prepared:"))
    return tfds_source.splits_of(name, data_dir)


def _open_digits(split, image_size):
    if split not in ("train", "test"):
        raise UserError(f"digits has no split {split!r}: choose train or test")
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    test, train = split_labels(digits.target, DIGITS_TEST_PER_CLASS, seed=0)
    indices = train if split == "train" else test
    images = _resize_all(images[indices], image_size)
    return from_arrays(f"digits/{split}", images, digits.target[indices])


def _resize_all(images, image_size):
    if image_size is None or images.shape[1:3] == image_size:
        return images
    return np.stack([fitting.fit_array(image, image_size) for image in images])
