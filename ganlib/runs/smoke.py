"""Tiny versions of configs for tests."""


def smoke(config):
    """Returns ``config``, or, if its ``smoke`` is True, a copy with tiny networks that trains for 2 steps, for tests."""
    if not config.smoke:
        return config
    config = config.copy_and_resolve_references()
    tiny = {"width": 8, "latent_dim": 60, "mapping_layers": 2, "blocks": 1}  # biggan splits latents into 2 to 6 equal parts
    tiny |= {"backbone": "applications:MobileNetV2", "weights": None, "backbone_size": 32, "taps": 2}  # no download
    network_arguments = [config.generator, config.discriminator]
    if "triple_gan" in config:
        network_arguments.append(config.triple_gan.classifier)
    for arguments in network_arguments:
        arguments.update({key: value for key, value in tiny.items() if key in arguments})
    if "instances" in config:
        config.instances.update(embedding_dim=60, kept=10)
    config.update(steps=2, steps_per_execution=1, batch_size=8, log_every=1)
    return config
