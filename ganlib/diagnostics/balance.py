"""How well the discriminator tells real images from generated ones."""

import numpy as np


def measures(snapshot):
    """Returns what two symptoms of a `Snapshot` have in common.

    Returns:
        A dict with ``discriminator_accuracy``, the share of the pairs of a real and a generated image in which the real one has
        the higher logit (the area under the ROC curve); ``separation``, the difference of the mean logits in standard
        deviations; ``logit_scale``, the root mean square of the logits; and ``image_distance``, the energy distance between
        generated and real images of few pixels. Without logits, only the last one.
    """
    found = {"image_distance": snapshot.image_distance}
    if snapshot.logits:
        logits, generated = snapshot.logits.get("held_out", snapshot.logits["training"]), snapshot.logits["generated"]
        greater = np.mean(logits[:, None] > generated) + np.mean(logits[:, None] == generated) / 2
        deviation = np.sqrt((logits.var() + generated.var()) / 2)
        found |= {
            "discriminator_accuracy": float(greater),
            "separation": float((logits.mean() - generated.mean()) / max(deviation, 1e-12)),
            "logit_scale": float(np.sqrt(np.mean(np.square(np.concatenate([logits, generated]))))),
        }
    return found
