"""Writes a dataset once in the size of a training, for fast random access from disk:
python -m experiments.prepare --dataset=folder:/data/photos --image_size=64 --output=/data/x64

Then `--config.dataset=prepared:/data/x64` trains on it. The dataset may be larger than memory: any image is read by its index,
so that subsets, few-label splits, resuming and several workers work as with images in memory.

The files are ArrayRecord files in TFDS's form, which `tfds.data_source("x64", data_dir="/data")` reads, too. An interrupted job
continues when it is run again. The space needed is 12 kB for an image of 64x64 pixels with --encoding=raw.
"""

from absl import flags

from experiments.common import job


def main():
    import tensorflow_datasets as tfds

    from ganlib.data import preparing

    values = flags.FLAGS
    names = ("dataset", "output", "image_size", "encoding", "splits", "data_dir", "skip_corrupt", "background")
    folder = preparing.prepare(**{name: getattr(values, name) for name in names})
    info = tfds.builder_from_directory(folder).info
    for name, split in info.splits.items():
        print(f"{name}: {split.num_examples} images in {split.num_shards} files, {split.num_bytes / 1e6:.1f} MB")
    print(f"{folder}\ntrain on it with --config.dataset=prepared:{values.output}")


if __name__ == "__main__":
    flags.DEFINE_string("dataset", None, "dataset to prepare: a TFDS name or folder:PATH", required=True)
    flags.DEFINE_string("output", None, "folder to write", required=True)
    flags.DEFINE_string("image_size", None, job.IMAGE_SIZE)
    flags.DEFINE_enum(
        "encoding", "auto", ["auto", "raw", "png", "jpeg"],
        "raw: fastest to read; png: smaller, without loss; jpeg: smallest, with quality 95; auto: jpeg if all files are JPEGs "
        "of the right size, else raw up to 64x64 pixels, else png",
    )  # fmt: skip
    flags.DEFINE_list("splits", None, "splits to write, as in train,test; unset: all")
    flags.DEFINE_string("data_dir", None, "folder of TFDS datasets; unset: TFDS_DATA_DIR")
    flags.DEFINE_bool("skip_corrupt", False, "skip unreadable files of a folder instead of failing")
    flags.DEFINE_string("background", "white", "color under the transparent pixels of images in a folder")
    job.start(main)
