"""`Critic`: the discriminator's forward pass with augmentation and cached activations."""


class Critic:
    """Maps images to logits: a discriminator in training mode, with the labels of a batch and an augmentation.

    Args:
        discriminator: A `ganlib.networks.Discriminator`.
        augment: The augmentation applied to images before the discriminator, ``augment(images, rng) -> images``.
        labels: ``(n,)`` integers, or None.
        rng: A `ganlib.training.RandomStream`.

    Attributes:
        discriminator: The discriminator.
        labels: The labels of the batch, or None.
    """

    def __init__(self, discriminator, augment, labels, rng):
        self.discriminator, self.labels = discriminator, labels
        self._augment, self._rng = augment, rng
        self._cache = []  # (images, augmented images, features, logits) for each forward pass

    def forward(self, images):
        """Computes the logits of images, and caches the augmented images, features and logits for later calls."""
        augmented = self.augmented(images)
        features = self.discriminator.features(augmented, training=True)
        logits = self.discriminator.logits(features, self.labels, training=True)
        self._cache.append((images, augmented, features, logits))
        return logits

    def __call__(self, images):
        """Maps ``(n, height, width, channels)`` images to ``(n,)`` float32 logits, cached after `forward`."""
        cached = self._cached(images)
        return cached[3] if cached else self.on_augmented(self.augmented(images))

    def features(self, images):
        """Maps images to ``(n, num_features)`` features, cached after `forward`."""
        cached = self._cached(images)
        return cached[2] if cached else self.discriminator.features(self.augmented(images), training=True)

    def augmented(self, images):
        """Maps images to augmented images, cached after `forward`."""
        cached = self._cached(images)
        return cached[1] if cached else self._augment(images, self._rng)

    def on_augmented(self, images):
        """Maps augmented images to logits."""
        return self.discriminator.logits(self.discriminator.features(images, training=True), self.labels, training=True)

    def _cached(self, images):
        """Returns the cached entry of a tensor of images, compared by identity, or None."""
        return next((entry for entry in self._cache if entry[0] is images), None)
