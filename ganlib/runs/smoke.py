"""Tiny versions of configs, for tests."""


def smoke(config):
    """``config``, or, where its ``smoke`` is set, a copy that is tiny and ends after 2 steps, for tests."""
    if not config.smoke:
        return config
    config = config.copy_and_resolve_references()
    small = {"width": 8, "latent_dim": 60, "mapping_layers": 2, "blocks": 1}  # biggan cuts latents into 2 to 6 parts
    networks = [config.generator, config.discriminator]
    if "triple_gan" in config:
        networks.append(config.triple_gan.classifier)
    small |= {
        "backbone": "applications:MobileNetV2",
        "weights": None,
        "backbone_size": 32,
        "taps": 2,
    }  # random weights, at once
    for arguments in networks:
        arguments.update({key: value for key, value in small.items() if key in arguments})
    if "instances" in config:
        config.instances.update(embedding_dim=60, kept=10)
    config.update(steps=2, steps_per_execution=1, batch_size=8, log_every=1)
    return config
