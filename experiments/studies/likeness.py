"""Measures how often an instance-conditioned GAN generates images of the class of the query image:
python -m experiments.studies.likeness --workdir=runs/mnist_icgan --output=likeness.png

The queries are test images that the GAN was not trained on. The GAN generates several answers to each. A classifier of
the same dataset predicts their classes. It classifies most test images correctly and is not used in the training. The job
prints the fraction of answers of the query's class, and the fraction expected if answers did not depend on the query. The image
has a query in the first column of each row, and its answers in the other columns.
"""

import pathlib

from absl import flags

from experiments.common import job

FLAGS = flags.FLAGS
ROWS = 10


def main():
    import numpy as np

    from ganlib import UserError, plots, runs
    from ganlib.files import write_json
    from ganlib.metrics import instances

    run, model = runs.open_run(FLAGS.workdir), runs.load_gan(FLAGS.workdir)
    if not run.instances:
        raise UserError(f"{FLAGS.workdir!r} is not an instance-conditioned GAN: train one with --config.instances.features")
    source, test = runs.open_data(run.config), runs.open_data(run.config, "test")
    if test.labels is None:
        raise UserError(f"{test.name} has no labels to compare with: pass a run on a labeled dataset")
    indices = np.random.default_rng(FLAGS.seed).permutation(test.num_examples)[: FLAGS.queries]
    queries, labels = test.pick(indices), test.labels[indices]

    conditioning = instances.extractor_of(run, source)
    conditions = instances.features_of(conditioning, queries)
    count = len(queries) * FLAGS.answers
    answers = plots.to_uint8(model.generate(count, np.repeat(conditions, FLAGS.answers, axis=0), FLAGS.seed))
    classifier = judge(source, conditioning)
    answer_classes = classifier(answers).probabilities.argmax(axis=1).reshape(len(queries), FLAGS.answers)
    query_classes = classifier(queries).probabilities.argmax(axis=1)

    share = float(np.mean(answer_classes == labels[:, None]))
    frequencies = [
        np.bincount(classes.ravel(), minlength=test.num_classes) / classes.size for classes in (answer_classes, labels)
    ]
    results = {
        "queries": len(queries),
        "answers_each": FLAGS.answers,
        "answers_of_the_querys_class": share,
        "if_independent": float(np.dot(*frequencies)),
        "judge_right_about_queries": float(np.mean(query_classes == labels)),
    }
    rows = [
        np.concatenate([queries[k : k + 1], answers[k * FLAGS.answers :][: FLAGS.answers]])
        for k in range(min(ROWS, len(queries)))
    ]
    output = pathlib.Path(FLAGS.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    plots.image_grid(np.concatenate(rows), FLAGS.answers + 1).save(output)
    write_json(output.with_suffix(".json"), results)
    for name, value in results.items():
        print(f"{name.replace('_', ' '):<32}{value:>8.3f}")


def judge(source, conditioning):
    """Returns a classifier of the dataset as a `ganlib.metrics.extractor.FeatureExtractor`. It is not the network on whose
    features the GAN is conditioned: if that is the in-domain classifier, another one is trained with another seed.
    """
    from ganlib.metrics import features, in_domain

    classifier = features.get("in_domain", source)
    if classifier.version != conditioning.version:
        return classifier
    print("the GAN is conditioned on the features of the in-domain classifier: another one is trained", flush=True)
    trained = in_domain.train(source.images, source.labels, source.num_classes, seed=1, progress=True)
    return features.from_model(trained, "another in-domain classifier")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "folder of a trained run", required=True)
    flags.DEFINE_string("output", "likeness.png", "image to write; a .json file of the same name gets the numbers")
    flags.DEFINE_integer("queries", 500, "number of test images", lower_bound=1)
    flags.DEFINE_integer("answers", 9, "images to generate for each", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "seed of the selection of queries and of the latents")
    job.start(main)
