"""Trains a classifier on few labels:
python -m experiments.train_classifier --config=experiments/configs/digits_sgan.py --workdir=runs/digits_sgan

--config.method=semi_supervised learns from the unlabelled images too, against a generator; --config.method=supervised
trains the same network on the labelled images alone. Test labels are used to measure, never to train or to choose.
"""

from absl import flags

from experiments import job


def train(config, workdir, accept_new_config=False, label=""):
    """Trains the classifier of ``config`` in ``workdir`` and writes its report; returns its test accuracy in [0, 1]."""
    from ganlib import data, metrics, report, runs
    from ganlib.files import write_json

    config = runs.smoke(config)
    source = runs.open_data(config)
    test = runs.open_data(config, "test")
    labeled = data.labels.labeled_part(source, config.labels_per_class, config.label_seed)
    semi_supervised = config.method == "semi_supervised"
    run = runs.start(workdir, config, source, accept_new_config)
    model = runs.build(run)

    def batches(start_step):
        size = min(config.batch_size, labeled.num_examples)
        if semi_supervised:
            return data.semi_supervised_batches(labeled, source, config.batch_size, config.seed, start_step)
        return data.batches(labeled, size, config.seed, start_step)

    def evaluate(model):
        return {"test_accuracy": metrics.accuracy(test.labels, model.classify(test.images))}

    runs.fit(run, model, batches, evaluate, label, samples=semi_supervised)
    matrix = metrics.confusion_matrix(test.labels, model.classify(test.images))
    result = {"test_accuracy": float(matrix.trace() / matrix.sum()), "confusion_matrix": matrix.tolist()}
    write_json(run.workdir / "classification.json", result)
    model.classifier.save(run.workdir / "classifier.keras")
    report.write(run.workdir / "report.html", [run.workdir], title=f"Classifier of {config.dataset}")
    return result["test_accuracy"]


def main():
    accuracy = train(flags.FLAGS.config, flags.FLAGS.workdir, flags.FLAGS.accept_new_config)
    print(f"test accuracy: {100 * accuracy:.2f} %\nreport: {flags.FLAGS.workdir}/report.html")


if __name__ == "__main__":
    job.define_training_flags()
    job.start(main)
