"""Whether a GAN that is told instances answers a picture with pictures of its class:
python -m experiments.studies.likeness --workdir=runs/mnist_icgan --output=likeness.png

The queries are test images, which it never saw; the GAN makes some answers to each. A classifier of the data itself, which is
right about most test images and has no part in the training, says of which class they are. Printed is the share of answers of
the query's class, beside what it would be if answers did not depend on the query. The picture has a query in the first
column of each row, and its answers in the others.
"""

import pathlib

from absl import flags

from experiments.common import job

WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a trained run", required=True)
OUTPUT = flags.DEFINE_string("output", "likeness.png", "the picture; a .json of the same name gets the numbers")
QUERIES = flags.DEFINE_integer("queries", 500, "how many test images", lower_bound=1)
ANSWERS = flags.DEFINE_integer("answers", 9, "images made for each", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "of the choice of queries, and of the latents")
ROWS = 10


def main():
    import numpy as np

    from ganlib import UserError, plots, runs
    from ganlib.files import write_json
    from ganlib.metrics import features, instances

    run, model = runs.open_run(WORKDIR.value), runs.load_gan(WORKDIR.value)
    if not run.instances:
        raise UserError(f"{WORKDIR.value!r} is of a GAN that is not told instances: train one with --config.instances.features")
    source, test = runs.open_data(run.config), runs.open_data(run.config, "test")
    if test.labels is None:
        raise UserError(f"{test.name} has no labels to compare by")
    chosen = np.random.default_rng(SEED.value).permutation(test.num_examples)[: QUERIES.value]
    queries, labels = test.pick(chosen), test.labels[chosen]

    told = instances.features_of(instances.extractor_of(run, source), queries)
    count = len(queries) * ANSWERS.value
    answers = plots.to_uint8(model.generate(count, np.repeat(told, ANSWERS.value, axis=0), SEED.value))
    judge = features.get("in_domain", source)
    of_answers = judge(answers).probabilities.argmax(axis=1).reshape(len(queries), ANSWERS.value)
    of_queries = judge(queries).probabilities.argmax(axis=1)

    share = float(np.mean(of_answers == labels[:, None]))
    frequencies = [np.bincount(numbers.ravel(), minlength=test.num_classes) / numbers.size for numbers in (of_answers, labels)]
    results = {
        "queries": len(queries), "answers_each": ANSWERS.value, "answers_of_the_querys_class": share,
        "if_independent": float(np.dot(*frequencies)), "judge_right_about_queries": float(np.mean(of_queries == labels)),
    }  # fmt: skip
    rows = [
        np.concatenate([queries[k : k + 1], answers[k * ANSWERS.value :][: ANSWERS.value]])
        for k in range(min(ROWS, len(queries)))
    ]
    output = pathlib.Path(OUTPUT.value)
    output.parent.mkdir(parents=True, exist_ok=True)
    plots.image_grid(np.concatenate(rows), ANSWERS.value + 1).save(output)
    write_json(output.with_suffix(".json"), results)
    for name, value in results.items():
        print(f"{name.replace('_', ' '):<32}{value:>8.3f}")


if __name__ == "__main__":
    job.start(main)
