"""The discriminator as its loss sees it."""


class Critic:
    """From images to logits: a discriminator in training, with the labels of a batch and what augments its images.

    Args:
        discriminator: a `ganlib.networks.Discriminator`.
        augment: what images pass before it, ``augment(images, rng) -> images``.
        labels: ``(n,)`` integers, or None.
        rng: a `ganlib.training.RandomStream`.

    Attributes:
        discriminator: as above.
        labels: as above.
    """

    def __init__(self, discriminator, augment, labels, rng):
        self.discriminator, self.labels = discriminator, labels
        self._augment, self._random = augment, rng
        self._known = []

    def forward(self, images):
        """The logits of images, kept so that no one computes them, or their features, again."""
        augmented = self.augmented(images)
        features = self.discriminator.features(augmented, training=True)
        logits = self.discriminator.logits(features, self.labels, training=True)
        self._known.append((images, augmented, features, logits))
        return logits

    def __call__(self, images):
        """``(n, height, width, channels)`` images -> ``(n,)`` float32 logits; those of images seen before are the same."""
        known = self._of(images)
        return known[3] if known else self.on_augmented(self.augmented(images))

    def features(self, images):
        """Images -> ``(n, num_features)`` features."""
        known = self._of(images)
        return known[2] if known else self.discriminator.features(self.augmented(images), training=True)

    def augmented(self, images):
        """Images -> augmented images; those of images seen before are the same."""
        known = self._of(images)
        return known[1] if known else self._augment(images, self._random)

    def on_augmented(self, images):
        """Augmented images -> logits."""
        return self.discriminator.logits(self.discriminator.features(images, training=True), self.labels, training=True)

    def _of(self, images):
        return next((known for known in self._known if known[0] is images), None)
