"""Trains several GANs or classifiers with several seeds and writes a table of means and standard deviations:
python -m experiments.compare --configs=mnist_dcgan,mnist_resnet --seeds=0,1,2 --workdir=runs/gans

Each GAN is trained by `experiments.train_gan` and its last checkpoint, not its best, is evaluated by `experiments.evaluate`.
The table also has a row for the test images of each dataset, evaluated against its training images like generated images, as a
reference. If configs compute the FID during training, fid.png plots it. For few-label classifiers:
python -m experiments.compare --configs=digits_sgan,digits_cnn --labels=1,5,20 --seeds=0,1,2 --workdir=runs/few_labels

Each classifier is trained by `experiments.train_classifier`. The seed also selects the labeled images. error.png plots the
test error against the number of labels.

Every run is a separate process. With --jobs=2, two run in parallel, each on its share of the cores. Run the same command again
to resume; complete runs are only read. Results from another feature network, another number of images or other code are
evaluated again. A run with another config, other images or other code is an error. The folder gets results.json with all
values, results.md, and log files.
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
    tf.config.set_visible_devices([], "GPU")  # reserved for the runs
    gans = {config.method == "gan" for config in compared.values()}
    if len(gans) != 1:
        raise UserError("cannot compare GANs with classifiers: pass --configs of one kind")
    for name, config in compared.items():
        if runs.automatic.unset(config):
            source = runs.open_data(config)
            images = runs.training_images(config, source) if config.method == "gan" else source
            compared[name] = runs.automatic.completed(config, images)
    comparison = gan_comparison if gans == {True} else classifier_comparison
    rows, table, failures = comparison.compare(folder, compared)
    if failures:
        raise UserError(f"{len(failures)} failed; run the same command to try them again: {'; '.join(failures)}")
    write_json(folder / "results.json", {"arguments": sys.argv[1:], "rows": rows})
    with written_whole(folder / "results.md") as partial:
        partial.write_text(table)
    print(f"\n{table}\nwritten to {folder / 'results.md'}")


if __name__ == "__main__":
    flags.DEFINE_list("configs", None, "files of experiments/configs, such as mnist_dcgan,mnist_resnet", required=True)
    flags.DEFINE_list("seeds", ["0", "1", "2"], "seeds to train each config with")
    flags.DEFINE_list("labels", [], "for classifiers: numbers of labels per class, or all; by default that of the first config")
    flags.DEFINE_string("workdir", None, "folder for all runs and the table", required=True)
    flags.DEFINE_string("metrics", "fid,precision_recall,cas", "for GANs: metrics, as in experiments.evaluate")
    flags.DEFINE_list(
        "features", [], "for GANs: feature networks, such as in_domain,efficientnet_lite:0; by default that of each config"
    )
    flags.DEFINE_integer("samples", 10_000, "for GANs: number of images to generate for the evaluation", lower_bound=2)
    flags.DEFINE_multi_string("set", [], "config key for all runs, as in --set=precision=mixed_bfloat16")
    flags.DEFINE_bool("accept_other_code", False, "accept runs that another version of ganlib has trained")
    flags.DEFINE_integer("jobs", 1, "number of runs in parallel", lower_bound=1)
    job.start(main)
