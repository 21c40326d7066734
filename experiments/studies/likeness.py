"""Measures how often an instance-conditioned GAN generates images of the class of the query image:
python -m experiments.studies.likeness --workdir=runs/mnist_icgan --output=likeness.png

The queries are test images that the GAN was not trained on. The GAN generates several answers to each. A judge predicts their
classes. The judges are classifiers trained on test images by cross-validation: each judges queries that it was not trained
on, and none has seen the training images of the GAN, or the features on which it is conditioned. The job prints, for all
queries and for those of each class, the fraction of answers that are judged to be of the query's class, the fraction expected
if answers did not depend on the query, and the fraction of queries that are judged correctly. The image has a query in the
first column of each row, and its answers in the other columns.
"""

import pathlib

from absl import flags

from experiments.common import job

FLAGS = flags.FLAGS
ROWS = 10
SHARES = ("answers_of_the_querys_class", "if_independent", "judge_right_about_queries")


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

    conditions = instances.features_of(instances.extractor_of(run, source), queries)
    count = len(queries) * FLAGS.answers
    answers = plots.to_uint8(model.generate(count, np.repeat(conditions, FLAGS.answers, axis=0), FLAGS.seed))
    judged = judge(test, indices, answers.reshape(len(queries), FLAGS.answers, *answers.shape[1:]), FLAGS.folds)
    results = {"queries": len(queries), "answers_each": FLAGS.answers, **shares(labels, *judged, test.class_names)}
    rows = [
        np.concatenate([queries[k : k + 1], answers[k * FLAGS.answers :][: FLAGS.answers]])
        for k in range(min(ROWS, len(queries)))
    ]
    output = pathlib.Path(FLAGS.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    plots.image_grid(np.concatenate(rows), FLAGS.answers + 1).save(output)
    write_json(output.with_suffix(".json"), results)
    print(table(results))


def judge(test, indices, answers, folds):
    """Predicts the classes of queries and answers. Each classifier is trained on the test images of all folds but one, and
    judges the queries of that fold and the answers to them.

    Args:
        test: The `ganlib.data.Source` of the test images.
        indices: ``(n,)`` integers, the queries among the test images.
        answers: ``(n, k, height, width, channels)`` uint8.
        folds: The number of folds.

    Returns:
        ``((n,), (n, k))`` integers, the classes of the queries and of the answers.

    Raises:
        UserError: If a class has fewer test images than folds.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    from ganlib import UserError
    from ganlib.metrics import features, in_domain

    counts = np.bincount(test.labels)
    least = counts[counts > 0].min()
    if least < folds:
        raise UserError(f"--folds={folds} needs {folds} test images of each class, got a class of {least}: set fewer --folds")
    query_classes, answer_classes = np.zeros(len(indices), int), np.zeros(answers.shape[:2], int)
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(test.labels, test.labels)
    for number, (seen, unseen) in enumerate(splits):
        own = np.isin(indices, unseen)
        if not own.any():
            continue
        print(f"training judge {number + 1} of {folds} on {len(seen)} test images", flush=True)
        model = in_domain.train(test.pick(seen), test.labels[seen], test.num_classes, seed=number, progress=True)
        classifier = features.from_model(model, "judge")
        query_classes[own] = classifier(test.pick(indices[own])).probabilities.argmax(axis=1)
        judged = classifier(answers[own].reshape(-1, *answers.shape[2:])).probabilities.argmax(axis=1)
        answer_classes[own] = judged.reshape(-1, answers.shape[1])
    return query_classes, answer_classes


def shares(labels, query_classes, answer_classes, class_names):
    """Returns the shares of answers and of queries whose class is recognized.

    Args:
        labels: ``(n,)`` integers, the classes of the queries.
        query_classes: ``(n,)`` integers, as the judges predict them.
        answer_classes: ``(n, k)`` integers, as the judges predict them.
        class_names: The names of the classes.

    Returns:
        A dict of the shares for all queries, their means over the classes, and those of each class that has queries. Without
        influence of the query, answers would be of a class as often as all answers are, whatever the class of the query.
    """
    import numpy as np

    frequencies = np.bincount(answer_classes.ravel(), minlength=len(class_names)) / answer_classes.size
    answers_right, queries_right = answer_classes == labels[:, None], query_classes == labels
    by_class = {
        class_names[label]: {
            "queries": int(np.sum(labels == label)),
            "answers_of_the_querys_class": float(np.mean(answers_right[labels == label])),
            "if_independent": float(frequencies[label]),
            "judge_right_about_queries": float(np.mean(queries_right[labels == label])),
        }
        for label in np.unique(labels)
    }
    return {
        "answers_of_the_querys_class": float(np.mean(answers_right)),
        "if_independent": float(np.mean(frequencies[labels])),
        "judge_right_about_queries": float(np.mean(queries_right)),
        "mean_over_classes": {name: float(np.mean([row[name] for row in by_class.values()])) for name in SHARES},
        "by_class": by_class,
    }


def table(results):
    """Returns the results as lines of text."""
    rows = {"all": results, "mean over classes": results["mean_over_classes"], **results["by_class"]}
    lines = [f"{'':<20}" + "".join(f"{name.replace('_', ' '):>30}" for name in SHARES)]
    return "\n".join(lines + [f"{name:<20}" + "".join(f"{row[key]:>30.3f}" for key in SHARES) for name, row in rows.items()])


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "folder of a trained run", required=True)
    flags.DEFINE_string("output", "likeness.png", "image to write; a .json file of the same name gets the numbers")
    flags.DEFINE_integer("queries", 500, "number of test images", lower_bound=1)
    flags.DEFINE_integer("answers", 9, "images to generate for each", lower_bound=1)
    flags.DEFINE_integer("folds", 5, "parts of the test images for the cross-validation of the judges", lower_bound=2)
    flags.DEFINE_integer("seed", 0, "seed of the selection of queries and of the latents")
    job.start(main)
