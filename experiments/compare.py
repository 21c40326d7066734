"""Trains several configs with several seeds and writes the table of their means and deviations. Of GANs:
python -m experiments.compare --configs=mnist_dcgan,mnist_resnet --seeds=0,1,2 --workdir=runs/gans

Each run is trained by `experiments.train_gan` and measured by `experiments.evaluate`: the last checkpoint, not the
best. Beside them stand each data set's test images, measured against its training images as the generated ones are:
the floor of the FID. Of configs that measure the FID in training there is fid.png too. Of few-label classifiers:
python -m experiments.compare --configs=digits_sgan,digits_cnn --labels=1,5,20 --seeds=0,1,2 --workdir=runs/few_labels

Each is trained by `experiments.train_classifier`; the seed chooses the labeled images, too. error.png shows the test
error against the number of labels.

Every run is a process of its own; with --jobs=2 two go on side by side, each on its share of the cores. The same
command again goes on where it was stopped, and what is complete is only read. What was measured by another feature network, on
another number of images or by other code is measured again; a run that was trained by another config, on other images or
by other code is refused. The folder gets results.json, with all values, results.md, and log files.
"""

import pathlib
import sys

from absl import flags

from experiments import configs
from experiments.common import classifier_comparison, gan_comparison, job

FLAGS = flags.FLAGS


def main():
    import tensorflow as tf

    from ganlib import UserError, runs
    from ganlib.files import write_json, written_whole

    folder = pathlib.Path(FLAGS.workdir)
    compared = {name: runs.smoke(configs.load(name, FLAGS.set)) for name in FLAGS.configs}
    tf.config.set_visible_devices([], "GPU")  # they are for the runs
    gans = {config.method == "gan" for config in compared.values()}
    if len(gans) != 1:
        raise UserError("a comparison is of GANs or of classifiers: give --configs of one kind")
    comparison = gan_comparison if gans == {True} else classifier_comparison
    rows, table, failures = comparison.compare(folder, compared)
    if failures:
        raise UserError(f"{len(failures)} failed, and the same command tries them again: {'; '.join(failures)}")
    write_json(folder / "results.json", {"arguments": sys.argv[1:], "rows": rows})
    with written_whole(folder / "results.md") as partial:
        partial.write_text(table)
    print(f"\n{table}\nwritten to {folder / 'results.md'}")


if __name__ == "__main__":
    flags.DEFINE_list("configs", None, "files of experiments/configs, such as mnist_dcgan,mnist_resnet", required=True)
    flags.DEFINE_list("seeds", ["0", "1", "2"], "each config is trained with each of them")
    flags.DEFINE_list("labels", [], "of classifiers: numbers of labels a class; by default that of the first config")
    flags.DEFINE_string("workdir", None, "the folder for all runs and the table", required=True)
    flags.DEFINE_string("metrics", "fid,precision_recall,cas", "of GANs, as in experiments.evaluate")
    flags.DEFINE_integer("samples", 10_000, "of GANs: how many images to generate for measuring", lower_bound=2)
    flags.DEFINE_multi_string("set", [], "a config key for all runs, as in --set=precision=mixed_bfloat16")
    flags.DEFINE_bool("accept_other_code", False, "take runs that another version of ganlib has trained")
    flags.DEFINE_integer("jobs", 1, "how many runs go on side by side", lower_bound=1)
    job.start(main)
