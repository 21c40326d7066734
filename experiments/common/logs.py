"""Hides log messages of TensorFlow that are irrelevant to the users of a job."""

import logging

TRACED_ONCE_PER_MODEL = ("make_train_function", "make_predict_function", "mean_over_workers")


def is_worth_showing(record):
    """Returns False for a warning of retracing a function that is traced once for each model.

    TensorFlow counts how often a function is traced by its source code, so a job that trains several models gets this warning
    although nothing is traced twice.
    """
    text = record.getMessage()
    return "triggered tf.function retracing" not in text or not any(name in text for name in TRACED_ONCE_PER_MODEL)


def quiet():
    """Hides these warnings from now on."""
    logging.getLogger("tensorflow").addFilter(is_worth_showing)
