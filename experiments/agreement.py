"""How far training on several replicas is from training on one: python -m experiments.agreement

Small networks train on the digits on one device, on 2 and 4 virtual devices, and as 2 workers at 127.0.0.1, each in
processes of its own. For every model, optimizer and way the table has the largest difference of a weight from that of one
device, divided by the largest weight of its tensor; and the largest relative difference of what is logged.
"""

import pathlib
import subprocess
import sys
import tempfile

from absl import flags

from experiments import job, processes

FLAGS = flags.FLAGS
WAYS = {
    "one device": ["--strategy=one_device"],
    "2 replicas": ["--strategy=mirrored", "--replicas=2"],
    "4 replicas": ["--strategy=mirrored", "--replicas=4"],
    "2 workers": ["--strategy=multi_worker"],
}
BATCH_SIZE, CLASSES = 16, 10


def main():
    if FLAGS.output:
        _train_all()
        return
    with tempfile.TemporaryDirectory() as folder:
        results = {way: _run(way, pathlib.Path(folder)) for way in WAYS}
    names = [name for name in results["one device"] if name.endswith("/logs")]
    print(f"| weights; logs | {' | '.join(list(WAYS)[1:])} |")
    print("| --- " * len(WAYS) + "|")
    for name in (name.removesuffix("/logs") for name in names):
        cells = [_differences(name, results["one device"], results[way]) for way in list(WAYS)[1:]]
        print(f"| {name} | {' | '.join(cells)} |")


def models():
    """Name -> function of an optimizer's class and learning rate, to a compiled model of networks for 8x8 images."""
    import ganlib
    from ganlib import penalties, regularizers
    from ganlib.networks import dcgan, mlp, resnet

    shape = (8, 8, 1)
    r1, gradient = penalties.R1(weight=1.0, interval=2), penalties.WGANGP(weight=10.0)

    def dcgan_r1(optimizers, normalization):
        generator = dcgan.Generator(shape, 8, width=8, num_classes=CLASSES, normalization=normalization)
        gan = ganlib.GAN(generator, dcgan.Discriminator(shape, width=8, num_classes=CLASSES, normalization=None))
        gan.compile(*optimizers, penalties=[r1], augment="translation,cutout")
        return gan

    def resnet_wgan_gp(optimizers, normalization):
        generator = resnet.Generator(shape, 8, width=8, normalization=normalization)
        gan = ganlib.GAN(generator, resnet.Discriminator(shape, width=8, spectral_norm=False))
        gan.compile(*optimizers, loss="wasserstein", penalties=[gradient], discriminator_steps=2)
        return gan

    def semi_supervised(optimizers, normalization):
        generator = mlp.Generator(shape, 8, width=16, normalization=normalization)
        sgan = ganlib.SemiSupervisedGAN(generator, mlp.Discriminator(shape, width=16), CLASSES)
        terms = [regularizers.ConditionalEntropy(0.1), regularizers.Consistency(1.0), regularizers.MarginalEntropy(1.0)]
        sgan.compile(*optimizers, augment="shift,affine", labeled_augment="shift,paste", regularizers=terms,
                     generator_regularizers=[regularizers.PullAway(0.5)])  # fmt: skip
        return sgan

    return {
        f"{make.__name__}{', synchronised batch norm' if normalization else ''}": (make, normalization)
        for make in (dcgan_r1, resnet_wgan_gp, semi_supervised) for normalization in (None, "sync_batch")
    }  # fmt: skip


def _train_all():
    """Trains every model by every optimizer and saves weights and logs: what a child process does."""
    import keras
    import numpy as np

    from ganlib import data
    from ganlib.training import strategy as strategies

    strategy, source, results = job.strategy(), data.open("digits"), {}
    labeled = source.subset(range(100))
    for kind, rate in (("SGD", 0.05), ("Adam", 1e-3)):
        for name, (make, normalization) in models().items():
            keras.utils.set_random_seed(0)
            with strategy.scope():
                model = make([getattr(keras.optimizers, kind)(rate) for _ in range(2)], normalization)
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


def _run(way, folder):
    """What the processes of one way saved."""
    import numpy as np

    output = folder / f"{way.replace(' ', '_')}.npz"
    command = [sys.executable, "-m", "experiments.agreement", *WAYS[way], f"--steps={FLAGS.steps}", f"--output={output}"]
    environments = processes.worker_environments(2 if way == "2 workers" else 1)
    children = [subprocess.Popen(command, env=environment) for environment in environments]
    if max([child.wait() for child in children]):
        raise RuntimeError(f"training by {way} failed")
    with np.load(output) as saved:
        return dict(saved)


def _differences(name, one, other):
    import numpy as np

    weights = [key for key in one if key.startswith(f"{name}/") and not key.endswith("/logs")]
    floating = [key for key in weights if one[key].dtype.kind == "f"]
    largest = max(np.max(np.abs(one[key] - other[key])) / max(np.max(np.abs(one[key])), 1e-12) for key in floating)
    logs = f"{name}/logs"
    return f"{largest:.0e}; {np.max(np.abs(one[logs] - other[logs]) / np.maximum(np.abs(one[logs]), 1e-3)):.0e}"


if __name__ == "__main__":
    job.define_strategy_flags()
    flags.DEFINE_integer("steps", 20, "how many steps each training makes", lower_bound=1)
    flags.DEFINE_string("output", None, "of the processes that this one starts: where to save what they trained")
    job.start(main)
