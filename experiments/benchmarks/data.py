"""Measures how fast images are read, in images per second: python -m experiments.benchmarks.data

The rows are ganlib's sources of data and, to compare, a bare pipeline of `tf.io.decode_jpeg` on the same files and PyTorch's
`ImageFolder` with workers, where torchvision is installed. The images are synthetic: smooth waves with noise. All sources are
read as if they were larger than memory, except the first row. Timings are noisy: the rows alternate, and each is the median of
``--rounds``.
"""

import json
import os
import pathlib
import tempfile
import time

import numpy as np
from absl import flags

from experiments.common import job

SMALL, LARGE = 64, 256
CLASSES = 10


def picture(size, seed):
    """Returns a synthetic photo: ``(size, size, 3)`` uint8."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(x * random.uniform(5, 40)) * np.cos(y * random.uniform(5, 40)) for _ in range(3)]
    noise = random.normal(0, 6, (size, size, 3))
    return np.clip(127 + 90 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)


def write_folder(path, count):
    """Writes JPEG files of 256x256 pixels, quality 90, in class folders."""
    from PIL import Image

    for index in range(count):
        file = path / str(index % CLASSES) / f"{index:06d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(LARGE, index)).save(file, quality=90)


def write_small(path, images):
    """Writes images of 64x64 pixels as PNG files, in class folders."""
    from PIL import Image

    for index, image in enumerate(images):
        file = path / str(index % CLASSES) / f"{index:06d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file, compress_level=1)


def bare_batches(folder, batch_size):
    """Returns batches of a pipeline that only shuffles, reads, decodes and batches the files of a folder."""
    import tensorflow as tf

    paths = sorted(map(str, pathlib.Path(folder).rglob("*.jpg")))

    def decode(path):
        return tf.ensure_shape(tf.io.decode_jpeg(tf.io.read_file(path)), (LARGE, LARGE, 3))

    dataset = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths)).repeat().map(decode, tf.data.AUTOTUNE)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def pytorch_batches(folder, batch_size):
    """Returns endless batches of PyTorch's `DataLoader` with two workers, or None if PyTorch is not installed. The files are
    read as torchvision's `ImageFolder` reads them.
    """
    try:
        import torch
    except ImportError:
        return None
    from PIL import Image

    class ImageFolder(torch.utils.data.Dataset):
        paths = sorted(pathlib.Path(folder).rglob("*.jpg"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            with Image.open(self.paths[index]) as image:
                return torch.from_numpy(np.array(image.convert("RGB")).transpose(2, 0, 1)), int(self.paths[index].parent.name)

    sampler = torch.utils.data.RandomSampler(range(len(ImageFolder.paths)), replacement=True, num_samples=10**9)
    return torch.utils.data.DataLoader(ImageFolder(), batch_size, sampler=sampler, num_workers=2)


def sources(root, small_count, large_count, tfds_name):
    """Writes the data, and returns a dict from the names of rows to functions of the batch size that return batches."""
    from ganlib import UserError, data
    from ganlib.data import preparing, source

    rng = np.random.default_rng(0)
    patterns = np.stack([picture(SMALL, seed) for seed in range(64)])
    images = patterns[rng.integers(0, 64, small_count)] + rng.integers(0, 8, (small_count, 1, 1, 1), np.uint8)
    write_small(root / "small", images)
    write_folder(root / "large", large_count)
    preparing.prepare(f"folder:{root / 'small'}", root / "x64")
    preparing.prepare(f"folder:{root / 'large'}", root / "x256")
    in_memory = data.from_arrays("in memory", images, np.arange(small_count) % CLASSES)
    source.MEMORY_LIMIT = 0  # as if the datasets were larger than memory
    opened = {
        "in memory, 64x64": in_memory,
        "prepared, 64x64": data.open(f"prepared:{root / 'x64'}"),
        "prepared, 256x256 JPEG": data.open(f"prepared:{root / 'x256'}"),
        "folder of JPEGs, 256x256": data.open(f"folder:{root / 'large'}"),
    }
    try:
        opened[f"TFDS {tfds_name}, streamed"] = data.open(tfds_name)
    except UserError as error:
        print(f"TFDS {tfds_name}: {error}")
    rows = {
        name: lambda size, start=0, source=source: data.batches(source, size, start_step=start)
        for name, source in opened.items()
    }
    rows["bare tf.io.decode_jpeg, 256x256"] = lambda size: bare_batches(root / "large", size)
    if pytorch_batches(root / "large", 1) is not None:
        rows["PyTorch ImageFolder, 2 workers, 256x256"] = lambda size: pytorch_batches(root / "large", size)
    return rows


def speed(iterator, batch_size, seconds):
    """Returns the images per second of an iterator over batches."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() < started + seconds:
        next(iterator)
        count += batch_size
    return count / (time.perf_counter() - started)


def first_batch(batches, batch_size, step):
    """Returns the seconds to the first batch of a start at a step."""
    started = time.perf_counter()
    next(iter(batches(batch_size, step)))
    return time.perf_counter() - started


def measure(rows, batch_size, rounds, seconds):
    """Returns a list of dicts, one for each row, with the measured numbers."""
    import psutil

    results, speeds = [], {name: [] for name in rows}
    for _ in range(rounds):
        for name, batches in rows.items():
            iterator = iter(batches(batch_size))
            speed(iterator, batch_size, 1.0)  # fills the buffers
            speeds[name].append(speed(iterator, batch_size, seconds))
            del iterator
    for name, batches in rows.items():
        row = {"name": name, "images_per_second": float(np.median(speeds[name])), "all_rounds": speeds[name]}
        if batches.__code__.co_argcount > 1:
            row["start_at_700"] = first_batch(batches, batch_size, 700)
            if "streamed" not in name:
                row["start_at_1000000"] = first_batch(batches, batch_size, 1_000_000)
            iterator, process = iter(batches(batch_size)), psutil.Process()
            speed(iterator, batch_size, 2.0)
            before = process.memory_info().rss
            speed(iterator, batch_size, 2 * seconds)
            row["memory_growth_mb"] = (process.memory_info().rss - before) / 1e6
        results.append(row)
    return results


def main():
    values = flags.FLAGS
    with tempfile.TemporaryDirectory(dir=values.folder) as root:
        rows = sources(pathlib.Path(root), values.small_images, values.large_images, values.tfds)
        results = measure(rows, values.batch_size, values.rounds, values.seconds)
    bare = next(row["images_per_second"] for row in results if row["name"].startswith("bare"))
    print(f"{os.cpu_count()} cores, batches of {values.batch_size}, median of {values.rounds} rounds")
    print(f"{'':<40}{'images/s':>10}{'of bare':>9}{'step 700':>10}{'step 1e6':>10}{'memory':>12}")
    for row in results:
        ratio = f"{row['images_per_second'] / bare:.2f}" if "256" in row["name"] else ""
        starts = [f"{row[key]:.2f} s" if key in row else "" for key in ("start_at_700", "start_at_1000000")]
        growth = f"{row['memory_growth_mb']:+.0f} MB" if "memory_growth_mb" in row else ""
        print(f"{row['name']:<40}{row['images_per_second']:>10.0f}{ratio:>9}{starts[0]:>10}{starts[1]:>10}{growth:>12}")
    if values.output:
        pathlib.Path(values.output).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    flags.DEFINE_string("folder", None, "folder in which the synthetic data is written, and deleted at the end; unset: /tmp")
    flags.DEFINE_string("tfds", "cifar10", "TFDS dataset to stream")
    flags.DEFINE_integer("small_images", 50_000, "images of 64x64 pixels")
    flags.DEFINE_integer("large_images", 4_000, "images of 256x256 pixels")
    flags.DEFINE_integer("batch_size", 64, "images in a batch")
    flags.DEFINE_integer("rounds", 5, "rounds in which all rows alternate")
    flags.DEFINE_float("seconds", 3.0, "seconds to measure a row in each round")
    flags.DEFINE_string("output", None, "JSON file for the results")
    job.start(main)
