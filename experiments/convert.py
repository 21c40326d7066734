"""Makes a run of the networks that an authors' code has trained:
python -m experiments.convert --code=stylegan2_ada --file=cifar10.pkl --workdir=runs/official --dataset=cifar10

The file is an .npz, a .safetensors file, a file of PyTorch, or a .pkl file of NVIDIA's codes; none of its code is run. The
other jobs then work on --workdir as on a run of experiments.train_gan: generate, evaluate, export and serve. The job also
writes a config, WORKDIR/further_training.py, with the same networks and weights_from=WORKDIR; start a new run with it to train
the networks further. With --dataset, the run gets the names of the classes, and evaluate compares with its images. The model
card of an export names the code and its license.
"""

import pathlib

from absl import flags

from experiments.common import job

CODE = flags.DEFINE_string("code", None, "the authors' code, such as stylegan2_ada", required=True)
FILE = flags.DEFINE_string("file", None, "file with the generator, and possibly the discriminator", required=True)
DISCRIMINATOR = flags.DEFINE_string("discriminator_file", None, "file with the discriminator, if --file has none")
WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run to create", required=True)
DATASET = flags.DEFINE_string("dataset", "", "images that the networks were trained on, as in a config")
GENERATOR_ONLY = flags.DEFINE_bool("generator_only", False, "leave out the discriminator of the file")
IMAGE_SIZE = flags.DEFINE_string("image_size", None, f"for --dataset: {job.IMAGE_SIZE}")
DATA_DIR = flags.DEFINE_string("data_dir", None, "folder of TFDS datasets")


def main():
    from experiments.configs import base
    from ganlib import UserError, export, plots, runs
    from ganlib.data import sizes
    from ganlib.files import written_whole
    from ganlib.runs import converted

    for flag in (IMAGE_SIZE, DATA_DIR):
        if flag.value and not DATASET.value:
            raise UserError(f"--{flag.name}={flag.value} does nothing without --dataset: set both or neither")
    networks = converted.read(CODE.value, FILE.value, DISCRIMINATOR.value, GENERATOR_ONLY.value)
    config, source = base.gan(), None
    if DATASET.value:
        size = sizes.parsed(IMAGE_SIZE.value)
        config.update(dataset=DATASET.value, image_size=size and sizes.simplest(size), data_dir=DATA_DIR.value)
        source = runs.open_data(config)
    with runs.writing(WORKDIR.value):
        run, model = converted.create(WORKDIR.value, CODE.value, FILE.value, networks, config, source, DISCRIMINATOR.value)
        export.examples.write(run.workdir, export.examples.of_gan(model))
        with written_whole(run.samples / "step_00000000.png") as partial:
            plots.sample_grid(model).save(partial)
        with written_whole(run.folder / converted.CONFIG_FILE) as partial:
            partial.write_text(converted.config_file(run))
    describe(run, networks)


def describe(run, networks):
    """Prints what was converted."""
    height, width, _ = run.image_shape
    classes = f", {len(run.class_names)} classes" if run.config.conditional else ""
    print(f"converted: {run.config.networks}, {height}x{width}{classes}, {networks.averaged.count_params():,} weights")
    if networks.discriminator is None:
        print("the file has no discriminator: that of the run is untrained")
    print(f"to train the networks further: --config={run.folder / 'further_training.py'}")
    print(f"samples: {pathlib.Path(run.samples) / 'step_00000000.png'}")


if __name__ == "__main__":
    job.start(main)
