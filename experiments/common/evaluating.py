"""What `experiments.evaluate` records and reports beside the numbers."""

import pathlib

from absl import logging


def seed_and_selection(selection, seed):
    """Returns the seed of the evaluation, and what the record says about the selection of the checkpoint.

    Args:
        selection: What the FIDs depended on by which the checkpoint was selected; None for the newest checkpoint.
        seed: The value of ``--seed``, or None.
    """
    from ganlib import UserError

    if selection is None:
        return seed or 0, {}
    if seed == selection["seed"]:
        raise UserError(f"--seed={seed} generated the images by which the best checkpoint was selected: pass another --seed")
    return selection["seed"] + 1 if seed is None else seed, {"selected_by": selection}


def one_for_each(networks, metrics, create):
    """Creates an evaluation for each feature network. Those after the first have only the metrics that depend on features.

    Args:
        networks: A list of names of feature networks.
        metrics: A list of names of metrics.
        create: A function from metrics and a feature network to a `ganlib.evaluation.Evaluation`.

    Returns:
        A dict from the name of the network to its evaluation.
    """
    from ganlib import UserError
    from ganlib.metrics.evaluate import metric_of

    first, *others = networks
    dependent = [name for name in metrics if metric_of(name).inputs in ("features", "generator")]
    if len(set(networks)) < len(networks):
        raise UserError(f"--features names a network twice: {', '.join(networks)}")
    if others and not dependent:
        raise UserError(f"no metric of {', '.join(metrics)} depends on features: pass one network as --features")
    return {first: create(metrics, first)} | {name: create(dependent, name) for name in others}


def record(evaluations, results, test, **facts):
    """Returns the contents of ``evaluation.json``. Results of the networks after the first have keys such as ``"fid@NETWORK"``.

    Args:
        evaluations: The dict of `one_for_each`.
        results: Name of the network -> the results of its evaluation.
        test: The real test images, on which in-domain classifiers are tested, or None.
        **facts: Further entries.
    """
    from ganlib import evaluation
    from ganlib.evaluation import judges

    (first, main), *others = evaluations.items()
    values = evaluation.evaluation_record(dict(results[first]), main, **facts)
    for name, other in others:
        values["results"] |= {f"{key}@{name}": value for key, value in results[name].items()}
        values.setdefault("other_features", {})[name] = other.extractor.version
    accuracies = {name: judges.accuracy(each, test) for name, each in evaluations.items()}
    if any(accuracies.values()):
        values["features_accuracy"] = {name: accuracy for name, accuracy in accuracies.items() if accuracy}
    return values


def if_there(open_images):
    """Returns what a function that opens images returns, or None if there are no such images."""
    from ganlib import UserError

    try:
        return open_images()
    except UserError:
        return None


def described_accuracy(name, accuracy):
    """Returns a line about the accuracy of an in-domain classifier: see `ganlib.evaluation.judges.accuracy`."""
    percent = {key: f"{100 * value:.1f} %" for key, value in accuracy.items() if key.endswith("accuracy")}
    return (
        f"{name} is a classifier with an accuracy of {percent['accuracy']} on {accuracy['num_images']} images of "
        f"{accuracy['images']} (balanced: {percent['balanced_accuracy']}; most frequent class: {percent['majority_accuracy']})"
    )


def described(parameters):
    """Returns a line such as ``"k 3, 1297 real and 2000 generated images"``."""
    counts = " and ".join(f"{count} {name}" for name, count in parameters.get("images", {}).items())
    others = [f"{key} {value}" for key, value in parameters.items() if key != "images"]
    return ", ".join(others + [f"{counts} images"] * bool(counts))


def warn_about_jpeg(dataset):
    """Logs a warning if a folder of generated images has JPEG files, whose compression changes the FID (Parmar et al. 2022,
    arXiv:2104.11222).
    """
    kind, _, folder = dataset.partition(":")
    paths = pathlib.Path(folder).rglob("*") if kind == "folder" else ()
    if any(path.suffix.lower() in (".jpg", ".jpeg") for path in paths):
        logging.warning("%s has JPEG files, whose compression changes the FID: save generated images as PNG", dataset)
