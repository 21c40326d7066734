"""Writes a dataset once as ArrayRecord files in TFDS's form, which `ganlib.data.prepared` reads.

The files of a split are its shards. A shard is written completely or not at all, so that an interrupted preparation continues
with the first missing one.
"""

import concurrent.futures
import dataclasses
import io
import itertools
import json
import pathlib
import re
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image
from tqdm import tqdm

from ganlib.data import folder_source, folders, opening, prepared, records, sizes, source
from ganlib.data.table_columns import Choice
from ganlib.errors import UserError, choose
from ganlib.files import read_dict, write_json, written_whole
from ganlib.locks import locked

SHARD = 16_384
"""The largest number of images in a file."""
BLOCK = 256
"""The number of images that are converted at a time."""
RAW_PIXELS = 64 * 64
"""The largest number of pixels of an image for which ``"auto"`` chooses the encoding ``"raw"``."""
JPEG_QUALITY = 95
TABLE = ("label_file", "file_column", "label_column")
WRITER_OPTIONS = "group_size:1,uncompressed"  # for random access


@dataclasses.dataclass(frozen=True)
class Images:
    """The images of a split, in the order in which they are written.

    Attributes:
        num_examples: The number of images.
        image_shape: ``(height, width, channels)``.
        labels: ``(num_examples,)`` int64, or None if they are only known when the images are read, or do not exist.
        class_names: A tuple of strings, empty if there are no classes.
        fingerprint: A string that changes if the images change.
        read: A function ``read(start, keep_jpegs)`` that returns an iterator over ``(image, label)`` from an index on. An
            image is uint8 of ``image_shape``, or, if ``keep_jpegs``, possibly the bytes of a JPEG file of this shape.
        all_final_jpegs: A function that returns True if all images are JPEG files whose bytes can be kept. Defaults to one
            that returns False.
    """

    num_examples: int
    image_shape: tuple[int, int, int]
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    fingerprint: str
    read: Callable
    all_final_jpegs: Callable = bool


def prepare(dataset, output, encoding="auto", splits=None, **arguments):
    """Writes a dataset as ArrayRecord files in TFDS's form. Continues if an earlier call was interrupted.

    Args:
        dataset: A name for `ganlib.data.open`.
        output: The folder to write. ``"prepared:OUTPUT"`` then opens it. TFDS finds it as the dataset that has the name of
            the folder, in its parent folder.
        encoding: ``"raw"`` stores the pixels, which is the fastest to read. ``"png"`` compresses them without loss, and
            ``"jpeg"`` with quality 95, except for files that already are JPEGs of the right size, whose bytes are kept.
            ``"auto"`` is ``"jpeg"`` if all files can be kept, ``"raw"`` for images of at most 64x64 pixels, and otherwise
            ``"png"``. Defaults to ``"auto"``.
        splits: The names of the splits to write; None writes all. Defaults to None.
        **arguments: Further arguments of `ganlib.data.open`, such as ``image_size=64``.

    Returns:
        The folder with the files, a `pathlib.Path`.

    Raises:
        UserError: If the dataset cannot be opened, its splits have different shapes or classes, or ``output`` holds a dataset
            that was prepared from other images or with other arguments.
    """
    output = pathlib.Path(output).expanduser()
    where = {key: arguments[key] for key in ("data_dir", *TABLE) if key in arguments}
    splits = splits or opening.splits(dataset, **where)
    images = {split: _images(dataset, split, **arguments) for split in splits}
    _check_alike(dataset, images)
    _check_class_names(dataset, next(iter(images.values())).class_names)
    encoding = _encoding(encoding, images)
    facts = {
        "dataset": dataset, "encoding": encoding, "image_shape": list(next(iter(images.values())).image_shape),
        "splits": {split: {"examples": part.num_examples, "fingerprint": part.fingerprint} for split, part in images.items()},
    }  # fmt: skip
    with locked(output):
        if (output / prepared.VERSION).exists():
            _check_same(output, output / prepared.VERSION / prepared.FACTS, facts)
            return output / prepared.VERSION
        unfinished = output / prepared.UNFINISHED
        if (unfinished / prepared.FACTS).exists():
            _check_same(output, unfinished / prepared.FACTS, facts)
        else:
            write_json(unfinished / prepared.FACTS, facts)
        for partial in unfinished.glob("*.partial.*"):  # of a job that was killed
            partial.unlink()
        features = _features(next(iter(images.values())), encoding)
        name, infos = dataset_name(output), []
        for split, part in images.items():
            infos.append(_write_split(unfinished, name, split, part, features, encoding))
        _write_metadata(unfinished, name, features, infos)
        unfinished.replace(output / prepared.VERSION)
    return output / prepared.VERSION


def dataset_name(output):
    """Returns the name of the TFDS dataset in a folder: the folder's name with the letters that TFDS allows."""
    name = re.sub(r"\W+", "_", pathlib.Path(output).name.lower(), flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() else f"images_{name}"


def _images(dataset, split, **arguments):
    if dataset.startswith("folder:"):
        return _images_of_folder(dataset.removeprefix("folder:"), split, **arguments)
    opened = opening.open(dataset, split, **arguments)
    every, labels = opened.all_images or opened, opened.labels
    if opened.all_images is not None:
        labels = np.full(every.num_examples, -1)
        labels[opened.positions] = opened.labels
    if every.fetch is not None:

        def read(start, keep_jpegs):
            for first in range(start, every.num_examples, BLOCK):
                indices = np.arange(first, min(first + BLOCK, every.num_examples))
                labels_of_block = [-1] * len(indices) if labels is None else labels[indices]
                yield from zip(every.pick(indices), labels_of_block, strict=True)
    else:

        def read(start, keep_jpegs):
            return every.stream(None, start).as_numpy_iterator()

    return Images(every.num_examples, every.image_shape, labels, opened.class_names, opened.fingerprint, read)


def _images_of_folder(path, split, image_size=None, data_dir=None, skip_corrupt=False, background="white", fit="crop", **table):
    """Returns the images of a folder, which are read with Pillow, so that any of its formats can be prepared."""
    choice = Choice(*(table.get(key) for key in TABLE))
    listing = folders.scan(path, split, sizes.parsed(image_size), skip_corrupt, background, choice, fit)
    if skip_corrupt:
        listing = folders.check_all(listing)
    shape = (*listing.image_size, listing.channels)

    def content_of(path):
        with listing.storage.open_verified(path) as file:
            return file.read()

    def content_or_image(path):
        content = content_of(path)
        return content if _is_final_jpeg(content, shape) else folders.load_image(path, listing)

    def read(start, keep_jpegs):
        load = content_or_image if keep_jpegs else lambda path: folders.load_image(path, listing)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for first in range(start, len(listing.paths), BLOCK):
                images = list(pool.map(load, listing.paths[first : first + BLOCK]))
                labels = itertools.repeat(-1) if listing.labels is None else listing.labels[first : first + BLOCK]
                yield from zip(images, labels, strict=False)

    def all_final():
        height, width, channels = shape
        final = (width, height), "L" if channels == 1 else "RGB", "JPEG", 1
        return all((header.size, header.mode, header.format, header.orientation) == final for header in listing.headers)

    fingerprint = source.digest(folder_source.origin_of(listing), listing.labels, listing.class_names)
    return Images(len(listing.paths), shape, listing.labels, listing.class_names, fingerprint, read, all_final)


def _is_final_jpeg(content, image_shape):
    """Returns True if a file is a JPEG with the shape of the images, whose pixels need no conversion."""
    height, width, channels = image_shape
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            is_upright = image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9)
            image.load()  # raises for a truncated file
            return image.size == (width, height) and image.mode == ("L" if channels == 1 else "RGB") and is_upright
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _check_alike(dataset, images):
    """Checks that all splits have the same shape and the same classes."""
    (first, part), *others = images.items()
    for split, other in others:
        for what in ("image_shape", "class_names"):
            values = getattr(part, what), getattr(other, what)
            if values[0] != values[1]:
                raise UserError(
                    f"{dataset!r} has {what} {values[0]} in {first}, but {values[1]} in {split}: prepare one split, or set "
                    "image_size"
                )


def _check_class_names(dataset, names):
    """Checks that TFDS keeps the names of the classes, of which it writes one in each line of a file."""
    for name in names:
        if name.strip() != name or name.splitlines() != [name] or name.encode(errors="ignore").decode() != name:
            raise UserError(
                f"the class {name!r} of {dataset!r} cannot be written: remove spaces at the beginning and the end of its name, "
                "line breaks, and letters that are not Unicode"
            )


def _check_same(output, path, facts):
    """Checks that a dataset was prepared with the same images and arguments."""
    before, now = read_dict(path), json.loads(json.dumps(facts))
    if before is None:
        raise UserError(f"{str(path)!r} is damaged: choose another --output, or delete {str(output)!r}")
    for key in ("encoding", "image_shape"):
        if before.get(key) != now[key]:
            raise UserError(
                f"{str(output)!r} was prepared with {key} {json.dumps(before.get(key))}, not {json.dumps(now[key])}: choose "
                "another --output, or delete it"
            )
    counts, others = ({split: part["examples"] for split, part in of.get("splits", {}).items()} for of in (before, now))
    if counts != others:
        raise UserError(
            f"{str(output)!r} was prepared with {_listed(counts)}, not {_listed(others)}: choose another --output, or delete it"
        )
    if before["splits"] != now["splits"]:  # the same images may have moved
        raise UserError(
            f"{str(output)!r} was prepared from other images or labels, or with other arguments, such as fit and background: "
            "choose another --output, or delete it"
        )


def _listed(counts):
    """Returns the numbers of the images of splits as a text."""
    return ", ".join(f"{count} images in {split}" for split, count in counts.items()) or "no images"


def _encoding(name, images):
    """Returns the encoding that ``"auto"`` stands for, or ``name`` if it is another known one."""
    if choose("encoding", name, {"auto": None, **ENCODERS}) or name != "auto":
        return name
    if all(part.all_final_jpegs() for part in images.values()):
        return "jpeg"
    height, width, _ = next(iter(images.values())).image_shape
    return "raw" if height * width <= RAW_PIXELS else "png"


def _features(part, encoding):
    """Returns the TFDS features of the records."""
    import tensorflow_datasets as tfds

    if encoding == "raw":
        image = tfds.features.Tensor(shape=part.image_shape, dtype=np.uint8, encoding="bytes")
    else:
        image = tfds.features.Image(shape=part.image_shape, encoding_format=encoding)
    label = {"label": tfds.features.ClassLabel(names=list(part.class_names))} if part.class_names else {}
    return tfds.features.FeaturesDict({"image": image, **label})


def _write_split(folder, name, split, part, features, encoding):
    """Writes the missing shards of a split, and its labels. Returns its `tfds.core.SplitInfo`."""
    import tensorflow_datasets as tfds

    template = tfds.core.ShardedFileTemplate(folder, dataset_name=name, split=split, filetype_suffix="array_record")
    count = -(-part.num_examples // SHARD)
    starts = np.linspace(0, part.num_examples, count + 1).astype(int)
    paths = [pathlib.Path(template.sharded_filepath(shard_index=shard, num_shards=count)) for shard in range(count)]
    done = next((shard for shard in range(count) if not paths[shard].exists()), count)
    progress = tqdm(desc=f"{split}", total=part.num_examples, initial=starts[done], unit=" images", unit_scale=True)
    examples = part.read(int(starts[done]), encoding == "jpeg")
    with progress, concurrent.futures.ThreadPoolExecutor() as pool:
        for shard in range(done, count):
            shard_examples = itertools.islice(examples, int(starts[shard + 1] - starts[shard]))
            _write_shard(paths[shard], shard_examples, features, ENCODERS[encoding], pool, progress)
    if part.class_names:
        labels = prepared.labels_of(records.Records(paths)) if part.labels is None else part.labels
        with written_whole(prepared.labels_path(folder, split)) as partial:
            np.save(partial, labels)
    lengths, size = np.diff(starts).tolist(), sum(path.stat().st_size for path in paths)
    return tfds.core.SplitInfo(name=split, shard_lengths=lengths, num_bytes=size, filename_template=template)


def _write_shard(path, examples, features, encode, pool, progress):
    from array_record.python.array_record_module import ArrayRecordWriter

    with written_whole(path) as partial:
        writer = ArrayRecordWriter(str(partial), WRITER_OPTIONS)
        while block := list(itertools.islice(examples, BLOCK)):
            for serialized in pool.map(lambda example: _encoded(*example, features, encode), block):
                writer.write(serialized)
            progress.update(len(block))
        writer.close()


def _encoded(image, label, features, encode):
    """Returns an example as the bytes of a record."""
    content = image if isinstance(image, bytes) else encode(image)
    return features.serialize_example({"image": content, "label": label} if "label" in features else {"image": content})


def _compressed(image, **arguments):
    """Returns an image, ``(height, width, channels)`` uint8, as the bytes of a file."""
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, **arguments)
    return file.getvalue()


ENCODERS = {
    "raw": lambda image: image,
    "png": lambda image: _compressed(image, format="PNG"),
    "jpeg": lambda image: _compressed(image, format="JPEG", quality=JPEG_QUALITY, subsampling=0),
}
"""Name of an encoding -> a function from an image to what TFDS stores."""


def _write_metadata(folder, name, features, split_infos):
    """Writes the files from which TFDS knows the dataset."""
    import tensorflow_datasets as tfds

    template = tfds.core.ShardedFileTemplate(folder, dataset_name=name, filetype_suffix="array_record")
    tfds.folder_dataset.write_metadata(
        data_dir=folder, features=features, split_infos=split_infos, version=prepared.VERSION, filename_template=template,
        check_data=False, description="Prepared by ganlib.",
    )  # fmt: skip
