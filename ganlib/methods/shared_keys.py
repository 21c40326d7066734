"""The keys that several methods read, each with the conditions under which it is read."""

from ganlib.methods.conditions import (
    ADA,
    ADAPTS,
    CHOSEN,
    EVALUATED,
    FOLDER,
    HELD_OUT,
    LABELED_FOLDER,
    NAMED_DISCRIMINATOR,
    NAMED_NETWORKS,
    OWN_FEATURES,
    TABLE,
    TFDS,
)  # fmt: skip

EVERY = dict.fromkeys(
    (
        "method", "dataset", "classes", "image_size", "batch_size", "steps", "seed", "networks", "discriminator",
        "discriminator_optimizer", "augment", "accumulation_steps", "non_finite", "ema_decay", "precision",
        "steps_per_execution", "log_every", "checkpoint_every", "labels_per_class", "validation_per_class", "smoke",
    ),
    (),
) | {"data_dir": (TFDS,), "skip_corrupt": (FOLDER,), "label_seed": (CHOSEN,), "label_file": (LABELED_FOLDER,),
    "file_column": (LABELED_FOLDER, TABLE), "label_column": (LABELED_FOLDER, TABLE)}  # fmt: skip
"""Key -> the conditions under which it is read, for the keys that every method reads."""

WITH_GENERATOR = {
    "generator": (), "generator_optimizer": (), "sample_every": (), "networks": (NAMED_NETWORKS,),
    "ada.categories": (ADA,), "ada.probability": (ADA,), "ada.target": (ADA,), "ada.adjustment": (ADA, ADAPTS),
    "ada.interval": (ADA, ADAPTS), "ada.strengths": (ADA,),
}  # fmt: skip

CLASSIFIER = dict.fromkeys(
    ("background", "fit", "test_split", "labeled_batch_size", "class_sampling", "features_from", "added_labels"), ()
) | {"evaluate_every": (HELD_OUT,), "selected_step": (EVALUATED,)}

FROM_FEATURES = {"discriminator": (OWN_FEATURES,), "networks": (OWN_FEATURES, NAMED_DISCRIMINATOR)}
