"""Compares training on several replicas with training on one: python -m experiments.studies.agreement --dtype=float64

Small networks train on the digits on one device, on 2 and 4 virtual devices, and as 2 workers at 127.0.0.1, each in separate
processes. For every model, optimizer and setup the table has two numbers: the largest difference of a weight from training on
one device, relative to the largest weight of its tensor, and the largest relative difference of the logs of the last step.

Sums over replicas are rounded differently from sums over a batch. In float64 the effect is negligible, and the job fails if a
difference exceeds 1e-5 (StyleGAN2: 1e-3). In float32 Adam amplifies the differences where a gradient is close to 0.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from absl import flags

from experiments.common import job, processes
from ganlib.errors import UserError, choose

FLAGS = flags.FLAGS
SETUPS = {
    "one device": ["--strategy=one_device"],
    "2 replicas": ["--strategy=mirrored", "--replicas=2"],
    "4 replicas": ["--strategy=mirrored", "--replicas=4"],
    "2 workers": ["--strategy=multi_worker"],
}
BATCH_SIZE, CLASSES = 16, 10
RATES = {"SGD": 0.005, "Adam": 1e-3}
LIMIT, SMALLEST = 1e-5, 1e-6
"""``LIMIT`` is the largest permitted difference in float64. ``SMALLEST`` is the smallest denominator of relative differences,
for tensors such as a bias before batch norm, whose gradient is 0 except for rounding."""
LIMITS = {"stylegan2_ada": 1e-3}
"""Images are float32 even here, and their rounding can activate a unit of a discriminator. With all of ganlib changed to
float64, StyleGAN2's weights differed by 5e-14; otherwise by 6e-4: see docs/distributed.md."""


def main():
    if FLAGS.output:
        _train_all()
        return
    if FLAGS.models:
        models()  # raises an error for an unknown name before any process starts
    setups = ["one device", "2 workers"] if FLAGS.smoke else list(SETUPS)
    with tempfile.TemporaryDirectory() as folder:
        one, *others = [_run(setup, pathlib.Path(folder)) for setup in setups]
    names = sorted({name.rpartition("/")[0] for name in one})
    print(f"| {FLAGS.dtype}, {FLAGS.steps} steps: weights; logs | {' | '.join(setups[1:])} |")
    print("| --- " * len(setups) + "|")
    failures = []
    for name in names:
        pairs = [_differences(name, one, other) for other in others]
        print(f"| {name} | {' | '.join(f'{weights:.0e}; {logs:.0e}' for weights, logs in pairs)} |")
        largest, limit = np.max(pairs), LIMITS.get(name.partition(",")[0], LIMIT)
        if FLAGS.dtype == "float64" and not largest <= limit:
            failures.append(f"the largest difference of {name} is {largest:.0e}, above the limit {limit:.0e}")
    if failures:
        raise UserError(f"replicas do not agree: {'; '.join(failures)}")


def models():
    """Returns a dict from names to functions that take two optimizers and return a compiled model for 8x8 images, with and
    without batch norm."""
    import ganlib
    from ganlib import augment, penalties, regularizers
    from ganlib.networks import dcgan, mlp, resnet, stylegan2

    shape = (8, 8, 1)

    def dcgan_r1(optimizers, normalization):
        generator = dcgan.Generator(shape, 8, width=8, num_classes=CLASSES, normalization=normalization)
        gan = ganlib.GAN(generator, dcgan.Discriminator(shape, width=8, num_classes=CLASSES, normalization=None))
        gan.compile(*optimizers, penalties=[penalties.R1(1.0, interval=2)], augment="translation,cutout")
        return gan

    def resnet_wgan_gp(optimizers, normalization):
        generator = resnet.Generator(shape, 8, width=8, normalization=normalization)
        gan = ganlib.GAN(generator, resnet.Discriminator(shape, width=8, spectral_norm=False))
        gan.compile(*optimizers, loss="wasserstein", penalties=[penalties.WGANGP(10.0)], discriminator_steps=2)
        return gan

    def semi_supervised(optimizers, normalization):
        generator = mlp.Generator(shape, 8, width=16, normalization=normalization)
        sgan = ganlib.SemiSupervisedGAN(generator, mlp.Discriminator(shape, width=16), CLASSES)
        terms = [regularizers.ConditionalEntropy(0.1), regularizers.Consistency(1.0), regularizers.MarginalEntropy(1.0)]
        sgan.compile(*optimizers, augment="shift,affine", labeled_augment="shift,paste", regularizers=terms,
                     generator_regularizers=[regularizers.PullAway(0.5)])  # fmt: skip
        return sgan

    def stylegan2_ada(optimizers, normalization):
        generator = stylegan2.Generator(shape, 8, width=8, mapping_layers=2)
        discriminator = stylegan2.Discriminator(shape, width=8, strided_groups=False)  # each replica has whole groups
        gan = ganlib.GAN(generator, discriminator)
        terms = [penalties.R1(1.0, interval=2), penalties.PathLength(2.0, interval=2), penalties.LeCam(0.1)]
        gan.compile(*optimizers, penalties=terms, augment=augment.ADA(probability=0.5, adjustment=1000))
        return gan

    pairs = [(make, norm) for make in (dcgan_r1, resnet_wgan_gp, semi_supervised) for norm in (None, "sync_batch")]
    pairs.append((stylegan2_ada, None))  # it has no batch norm
    known = {make.__name__: make for make, _ in pairs}
    selected = [choose("model", name, known) for name in FLAGS.models or known]
    pairs = [(make, norm) for make, norm in pairs if make in selected]
    suffixes = {None: "", "sync_batch": ", synchronized batch norm"}
    return {make.__name__ + suffixes[norm]: lambda o, make=make, norm=norm: make(o, norm) for make, norm in pairs}


def _train_all():
    """Trains every model with every optimizer and saves weights and logs. Runs in a child process."""
    import keras

    from ganlib import data
    from ganlib.training import strategy as strategies

    strategy, source, results = job.strategy(), data.open("digits"), {}
    keras.config.set_floatx(FLAGS.dtype)
    labeled = source.subset(range(100))
    for kind, rate in list(RATES.items())[FLAGS.smoke :]:
        for name, make in list(models().items())[: 1 if FLAGS.smoke else None]:
            keras.utils.set_random_seed(0)
            with strategy.scope():
                model = make([getattr(keras.optimizers, kind)(rate) for _ in range(2)])
            if hasattr(model, "classifier"):
                batches = data.semi_supervised_batches(labeled, source, BATCH_SIZE)
            else:
                batches = data.batches(source, BATCH_SIZE * model.discriminator_steps)
            history = model.fit(batches, steps_per_epoch=FLAGS.steps, verbose=0).history
            key = f"{name}, {kind}"
            results |= {f"{key}/{index:03d}": weights for index, weights in enumerate(model.get_weights())}
            results[f"{key}/logs"] = np.array([history[log][0] for log in sorted(history)])
    if strategies.is_chief(strategy):
        np.savez(FLAGS.output, **results)


def _run(setup, folder):
    """Trains in the processes of one setup and returns the saved weights and logs."""
    output = folder / f"{setup.replace(' ', '_')}.npz"
    command = [sys.executable, "-m", "experiments.studies.agreement", *SETUPS[setup], f"--steps={FLAGS.steps}",
               f"--dtype={FLAGS.dtype}", f"--smoke={FLAGS.smoke}", f"--models={','.join(FLAGS.models)}",
               f"--output={output}"]  # fmt: skip
    environments = processes.worker_environments(2 if setup == "2 workers" else 1)
    workers = [subprocess.Popen(command, env=environment) for environment in environments]
    if max([worker.wait() for worker in workers]):
        raise RuntimeError(f"training on {setup} failed")
    with np.load(output) as saved:
        return dict(saved)


def _differences(name, one, other):
    """Returns the largest relative differences of a weight and of a log."""
    keys = [key for key in one if key.rpartition("/")[0] == name and one[key].dtype.kind == "f"]
    *weights, logs = sorted(keys)
    by_tensor = [np.max(np.abs(one[k] - other[k])) / max(np.max(np.abs(one[k])), SMALLEST) for k in weights]
    by_log = np.abs(one[logs] - other[logs]) / np.maximum(np.abs(one[logs]), SMALLEST)
    return np.max(by_tensor), np.max(by_log)


if __name__ == "__main__":
    job.define_strategy_flags()
    flags.DEFINE_integer("steps", 20, "train steps of each training", lower_bound=1)
    flags.DEFINE_enum("dtype", "float64", ["float64", "float32"], "dtype of weights and of most computations")
    flags.DEFINE_list("models", [], "models to train, such as stylegan2_ada; by default all")
    flags.DEFINE_bool("smoke", False, "only one model, one optimizer and two workers, for tests")
    flags.DEFINE_string("output", None, "used by child processes: the file to save weights and logs to")
    job.start(main)
