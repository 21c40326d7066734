"""Trains a GAN: python -m experiments.train_gan --config=experiments/configs/digits_dcgan.py --workdir=runs/digits

Run the same command again to resume from the newest checkpoint. Set any key of the config on the command line, as in
--config.batch_size=128 --config.generator.width=32.
"""

from absl import flags

from experiments.common import job
from experiments.configs import base


def train(config, workdir, accept_new_config=False, label="", strategy=None):
    """Trains the GAN of ``config`` in ``workdir``, under ``strategy``, and writes its report. Returns the report's path."""
    from ganlib import export, runs
    from ganlib.errors import Stopped
    from ganlib.runs import report
    from ganlib.training.callbacks import NonFinite

    with runs.writing(workdir, strategy):
        run, model, batches, evaluate, callbacks = prepare(config, workdir, accept_new_config, strategy)
        try:
            runs.fit(run, model, batches, evaluate, label, callbacks=callbacks)
        except NonFinite as error:
            runs.examination.note_stop(run, error)
            raise
        except Stopped:
            runs.examination.end_report(run)
            raise
        if runs.examination.is_examined(run.config):
            runs.moving.write(run, model)
        export.examples.write(run.workdir, export.examples.of_gan(model))
        if run.is_chief:
            report.write(run.folder / "report.html", [run.folder], title=f"{run.folder.name}: GAN on {config.dataset}")
        return run.folder / "report.html"


def prepare(config, workdir, accept_new_config, strategy):
    """Returns ``(run, model, batches, evaluate, callbacks)`` for `ganlib.runs.fit`."""
    from ganlib import data, runs
    from ganlib.evaluation import shared_classifier
    from ganlib.metrics import features, instances
    from ganlib.runs import named_runs, warm_start

    defaults = base.gan()
    config = runs.smoke(runs.checked(workdir, config, defaults))
    all_images = runs.open_data(config)
    source = runs.training_images(config, all_images)
    config = runs.automatic.completed(config, source, workdir)
    named_runs.check(config, all_images)
    if "in_domain" in (config.instances.features, config.metrics and config.features):
        shared_classifier.prepare(all_images, strategy)
    neighborhoods, facts = None, {}
    if config.instances.features:
        extractor = features.get(config.instances.features, all_images)
        neighborhoods = instances.prepare(source, extractor, config.instances.neighbors)
        facts = {"instance_dim": neighborhoods.features.shape[1], "instance_features": extractor.version}
    run = runs.start(workdir, config, source, accept_new_config, strategy, defaults, **facts)
    model = runs.build(run)
    if not run.checkpoints(model).steps():  # a checkpoint replaces these weights
        warm_start.initialize_gan(model, run, neighborhoods)

    def batches(start_step, share=data.pipeline.ALL):
        batch_size = config.batch_size * model.batch_parts
        if neighborhoods:
            pairs = neighborhoods.features, neighborhoods.neighbors
            return data.neighbor_batches(source, *pairs, batch_size, config.seed, start_step, config.mirror, share)
        arguments = {"with_labels": config.conditional, "mirror": config.mirror, "share": share}
        return data.batches(source, batch_size, config.seed, start_step, **arguments)

    evaluate = evaluation_of(config, all_images, source, model)
    runs.diagnosis.at_start(run, source)
    return run, model, batches, evaluate, runs.examination.callbacks(run, all_images, source)


def evaluation_of(config, source, training, model):
    """Returns the `ganlib.evaluation.Evaluation` of the config's metrics, with the statistics of the real images computed.
    Returns None if the config sets no metrics. What cannot be measured is an error here, before the first step."""
    from ganlib import runs
    from ganlib.evaluation import Evaluation

    if not config.metrics:
        return None
    metrics = [name.strip() for name in config.metrics.split(",")]
    test = runs.open_test(config, metrics, [config.features])
    evaluate = Evaluation(source, metrics, config.features, config.evaluation_samples, test=test, training=training)
    evaluate.prepare(model)
    return evaluate


def main():
    report = train(job.config(), flags.FLAGS.workdir, flags.FLAGS.accept_new_config, strategy=job.strategy())
    print(f"report: {report}")


if __name__ == "__main__":
    job.define_training_flags()
    job.start(main)
