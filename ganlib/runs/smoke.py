"""Tiny versions of configs for tests."""

TINY = {
    "condition_dim": 60,
    "width": 8,
    "latent_dim": 60,  # can be split into 2 to 6 equal parts, as biggan does
    "mapping_layers": 2,
    "blocks": 1,
    "backbone": "applications:MobileNetV2",  # random weights, so that nothing is downloaded
    "weights": None,
    "backbone_size": 32,
    "taps": 2,
    "trainable_from": "block_15",
    "components": 6,
    "density_steps": 2,
    "low_density_from_step": 0,
}
"""Argument -> its value, in every group of the config that has it."""

TINY_INSTANCES = {"embedding_dim": 60, "kept": 10}


def smoke(config):
    """Returns ``config``, or, if its ``smoke`` is True, a copy with tiny networks that trains for 2 steps, for tests."""
    if not config.smoke:
        return config
    config = config.copy_and_resolve_references()
    for group in _groups(config):
        with group.ignore_type():  # taps may be a number or a list of names
            group.update({key: value for key, value in TINY.items() if key in group})
            if group.get("widths"):  # a linear probe has no hidden layers
                group.widths = [8]
    if "instances" in config:
        config.instances.update(TINY_INSTANCES)
    config.update(steps=2, steps_per_execution=1, batch_size=8, log_every=1)
    return config


def _groups(config):
    for value in config.values():
        if hasattr(value, "items"):
            yield value
            yield from _groups(value)
