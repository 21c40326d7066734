import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ganlib
from ganlib import data, penalties
from ganlib.networks import mlp, wrapped
from ganlib.training import averaging
from tests.helpers import adam, replicas, same, weights

SHAPE = (8, 8, 1)


def generator(latent_dim=4, activation="tanh"):
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GaussianNoise(0.1),
            layers.Dense(64, activation=activation),
            layers.Reshape(SHAPE),
        ]
    )


def discriminator(*end):
    """Returns a model that is not built, as in most of Keras's guides."""
    convolution = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)
    end = end or (layers.Flatten(), layers.Dense(1))
    return keras.Sequential([convolution, layers.LeakyReLU(0.2), layers.Dropout(0.3), *end])


def conditional_generator(label_shape=(), order=1):
    latents, labels = keras.Input((4,)), keras.Input(label_shape, dtype="int32")
    embedded = layers.Reshape((5,))(layers.Embedding(3, 5)(labels))
    images = layers.Reshape(SHAPE)(layers.Dense(64, activation="tanh")(layers.Concatenate()([latents, embedded])))
    return keras.Model([latents, labels][::order], images)


def conditional_discriminator():
    """Returns a model of a dict with one-hot labels."""
    images, labels = keras.Input(SHAPE, name="images"), keras.Input((3,), name="labels")
    maps = layers.Concatenate()([images, layers.Reshape(SHAPE)(layers.Dense(64)(labels))])
    return keras.Model({"images": images, "labels": labels}, layers.Dense(1)(layers.Flatten()(maps)))


class SubclassedGenerator(keras.Model):
    def __init__(self, width=8):
        super().__init__()
        self.hidden, self.pixels = layers.Dense(width, activation="relu"), layers.Dense(64, activation="tanh")

    def call(self, latents):
        return keras.ops.reshape(self.pixels(self.hidden(latents)), (-1, *SHAPE))


class SubclassedDiscriminator(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.hidden, self.logit = layers.Dense(8, activation="relu"), layers.Dense(1, activation=activation)

    def call(self, images, training=False):
        return self.logit(self.hidden(keras.ops.reshape(images, (-1, 64))))


class OutOfOrder(keras.Model):
    """The layer that is created last is not the one that is called last."""

    def __init__(self, end=lambda logits: logits):
        super().__init__()
        self.logit, self.end, self.hidden = layers.Dense(1), end, layers.Dense(8)
        self.relu = layers.ReLU()

    def call(self, images, training=False):
        return self.end(self.logit(self.relu(self.hidden(keras.ops.reshape(images, (-1, 64))))))


def compiled(*networks, **arguments):
    gan = ganlib.GAN(*networks)
    gan.compile(adam(), adam(), **arguments)
    return gan


def test_outputs_are_those_of_the_keras_models(images):
    models = generator(), discriminator()
    gan, floats = ganlib.GAN(*models), images / np.float32(127.5) - 1.0
    assert (gan.generator.latent_dim, gan.generator.image_shape) == (4, SHAPE)
    assert (gan.generator.num_classes, gan.discriminator.image_shape) == (None, SHAPE)
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(gan.generator(latents), models[0](latents))
    np.testing.assert_allclose(gan.generate_from(latents), models[0](latents), atol=1e-6)
    np.testing.assert_allclose(gan.discriminator(floats), models[1](floats)[:, 0], rtol=1e-6)
    features = keras.Sequential(models[1].layers[:-1])(floats)
    np.testing.assert_array_equal(gan.discriminator.features(floats), features)
    np.testing.assert_allclose(gan.discriminator.logits(features), models[1](floats)[:, 0], rtol=1e-6)
    assert gan.discriminator.count_params() == models[1].count_params()


def test_a_gan_of_keras_models_is_saved_and_trains_on_bit_for_bit(images, tmp_path):
    gan = compiled(generator(), discriminator(), penalties=[penalties.R1(1.0)])
    before, average = weights(gan.discriminator), weights(gan.ema_generator)
    gan.fit(images, batch_size=8, verbose=0)
    assert not same(before, weights(gan.discriminator))
    assert not same(average, weights(gan.ema_generator))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    logs = [model.fit(images, batch_size=8, shuffle=False, verbose=0).history for model in (gan, loaded)]
    assert logs[0] == logs[1]
    assert same(weights(gan), weights(loaded))
    assert logs[0]["r1"][0] > 0


def test_dropout_is_on_in_training_and_off_in_generation(images):
    gan = ganlib.GAN(generator(), discriminator())
    floats = (images / 127.5 - 1.0).astype(np.float32)
    calls = [np.array(gan.discriminator(floats, training=training)) for training in (True, True, False, False)]
    assert not np.array_equal(calls[0], calls[1])
    np.testing.assert_array_equal(calls[2], calls[3])
    features = [np.array(gan.discriminator.features(floats, training=training)) for training in (True, False)]
    assert not np.array_equal(*features)


@pytest.mark.parametrize("label_shape", [(), (1,)])
@pytest.mark.parametrize("order", [1, -1])
def test_a_second_input_takes_the_labels(images, labels, label_shape, order):
    gan = compiled(conditional_generator(label_shape, order), conditional_discriminator(), penalties=[penalties.R1(1.0)])
    assert gan.generator.num_classes == gan.discriminator.num_classes == 3
    gan.fit(images, labels, batch_size=8, verbose=0)
    first, second = (gan.generate(2, labels=label, seed=0) for label in (0, 1))
    assert not np.allclose(first, second)
    model, floats = gan.discriminator.model, (images / 127.5 - 1.0).astype(np.float32)
    expected = model({"images": floats, "labels": np.eye(3, dtype=np.float32)[labels]})[:, 0]
    np.testing.assert_allclose(gan.discriminator(floats, labels), expected, rtol=1e-5)


def test_one_hot_labels_of_a_generator_get_their_number_from_the_discriminator():
    latents, labels = keras.Input((4,)), keras.Input((3,))
    pixels = layers.Dense(64, activation="tanh")(layers.Concatenate()([latents, labels]))
    model = keras.Model([latents, labels], layers.Reshape(SHAPE)(pixels))
    gan = ganlib.GAN(model, conditional_discriminator())
    assert gan.generator.num_classes == 3
    with pytest.raises(ganlib.UserError, match=r"got \(n, 4\), \(n, 3\): for one-hot labels, pass .*num_classes="):
        wrapped.Generator(model)
    np.testing.assert_allclose(
        wrapped.Generator(model, num_classes=3)(np.ones((1, 4)), labels=np.array([2])),
        model([np.ones((1, 4)), np.array([[0.0, 0.0, 1.0]])]),
    )


def test_logits_of_patches(images):
    gan = compiled(generator(), discriminator(layers.Conv2D(1, 3)), loss="hinge", penalties=[penalties.R1(1.0)])
    assert gan.discriminator.patchwise
    assert gan.discriminator(np.zeros((5, *SHAPE), np.float32)).shape == (5, 4)
    assert np.isfinite(gan.fit(images, batch_size=8, verbose=0).history["r1"]).all()


def test_a_discriminator_of_any_size_takes_that_of_the_generator(images):
    inputs = keras.Input((None, None, 1))
    patches = layers.Conv2D(1, 3, strides=2)(layers.Conv2D(4, 3)(inputs))
    gan = compiled(generator(), keras.Model(inputs, patches))
    assert gan.discriminator.image_shape == SHAPE
    gan.fit(images, batch_size=8, verbose=0)


def test_subclassed_models(images, tmp_path):
    with pytest.raises(ganlib.UserError, match="dimension of the latents is unknown: .*latent_dim=..."):
        ganlib.GAN(SubclassedGenerator(), SubclassedDiscriminator())
    gan = compiled(wrapped.Generator(SubclassedGenerator(), latent_dim=4), SubclassedDiscriminator())
    gan.fit(images, batch_size=8, verbose=0)
    called = SubclassedGenerator()
    called(np.zeros((1, 6)))
    assert ganlib.GAN(called, SubclassedDiscriminator()).generator.latent_dim == 6
    with pytest.raises(ganlib.UserError, match=r"cannot be copied .*: define get_config\(\)|computes other values"):
        ganlib.GAN(wrapped.Generator(SubclassedGenerator(9), latent_dim=4), SubclassedDiscriminator())
    with pytest.raises(ganlib.UserError, match="no layer before its logits that a classifier can use"):
        ganlib.SemiSupervisedGAN(generator(), SubclassedDiscriminator(), num_classes=3)


def test_a_classifier_on_the_features(images, labels, tmp_path):
    model = ganlib.SemiSupervisedGAN(generator(), discriminator(), num_classes=3)
    model.compile(adam(), adam())
    batches = tf.data.Dataset.from_tensor_slices((images, labels, images)).batch(8)
    model.fit(batches, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.classify(images), model.classify(images))
    with pytest.raises(ganlib.UserError, match=r"takes features of shape \(n, 4, 4, 8\), but a classifier needs a vector"):
        ganlib.SemiSupervisedGAN(generator(), discriminator(layers.Conv2D(1, 4), layers.Flatten()), num_classes=3)


def test_a_keras_classifier(images, labels):
    def network(*end):
        return keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(16, activation="relu"), *end])

    model = network(layers.Dense(3))
    classifier = ganlib.SupervisedClassifier(model)
    np.testing.assert_allclose(classifier.network(images), model(images / np.float32(127.5) - 1.0), atol=1e-6)
    classifier.compile(adam())
    classifier.fit(images, labels, batch_size=8, verbose=0)
    for end, message in (
        (layers.Dense(3, activation="softmax"), "the classifier ends with softmax, but the losses of ganlib take logits"),
        (layers.Dense(1), r"must return class logits of shape \(n, num_classes\), got \(n, 1\)"),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            ganlib.SupervisedClassifier(network(end))
    with pytest.raises(ganlib.UserError, match="the classifier must be a ganlib.Classifier or a Keras model, got a NoneType"):
        ganlib.SupervisedClassifier(None)


def test_two_replicas():
    with replicas(2).scope():
        gan = compiled(generator(), discriminator(), penalties=[penalties.R1(1.0)])
    history = gan.fit(data.batches(data.open("digits"), 8, with_labels=False), steps_per_epoch=3, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    for variable in gan.trainable_variables + gan.ema_generator.variables:
        np.testing.assert_array_equal(*[np.asarray(v) for v in variable.value.values])
    outside = generator()
    with replicas(2).scope(), pytest.raises(ganlib.UserError, match="created outside the scope of the strategy"):
        ganlib.GAN(outside, discriminator())


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (lambda: (generator(), discriminator(layers.Flatten(), layers.Dense(1, activation="sigmoid"))), "ends with sigmoid"),
        (
            lambda: (generator(), discriminator(layers.Flatten(), layers.Dense(1), layers.Activation("sigmoid"))),
            "the discriminator ends with sigmoid, but the losses of ganlib take logits: remove this activation",
        ),
        (lambda: (generator(), discriminator(layers.Dense(1, "tanh"), layers.Reshape((16, 1)))), r"got \(n, 16, 1\)"),
        (lambda: (generator(), SubclassedDiscriminator("sigmoid")), "ends with sigmoid"),
        (lambda: (generator(), with_layer(layers.Rescaling(1 / 255), 1)), "Rescaling"),
        (lambda: (generator(), with_layer(keras.Sequential([layers.Rescaling(1 / 255)]), 1)), "Rescaling"),
        (lambda: (generator(), with_layer(layers.Normalization(mean=[120.0], variance=[9.0]), 1)), "Normalization"),
        (lambda: (generator(), OutOfOrder(keras.activations.sigmoid)), "ends with sigmoid"),
        (
            lambda: (generator(), keras.Sequential([keras.Input(SHAPE, dtype="uint8"), layers.Flatten(), layers.Dense(1)])),
            "an input of dtype uint8",
        ),
        (lambda: (generator(activation="sigmoid"), discriminator()), r"ends with sigmoid, whose images .* activation='tanh'"),
        (lambda: (generator(activation="relu"), discriminator()), "ends with relu"),
        (lambda: (discriminator(), generator()), "exchanged"),
        (lambda: (generator(), generator()), "exchanged"),
        (lambda: (generator(), discriminator(layers.Flatten(), layers.Dense(3))), r"logits of shape \(n, 1\).* got \(n, 3\)"),
        (lambda: (keras.Sequential([keras.Input((4,)), layers.Dense(64)]), discriminator()), "must return images"),
        (lambda: (keras.Sequential([layers.Dense(64), layers.Reshape(SHAPE)]), discriminator()), "dimension of the latents"),
        (lambda: (generator(), keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1)])), "image_shape"),
        (lambda: (generator(), keras.Sequential([layers.Conv2D(4, 9), layers.Dense(1)])), "cannot be built for inputs of"),
        (lambda: (generator(), keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1)])), "Rescaling"),
        (lambda: (conditional_generator(), discriminator()), "num_classes is 3, but the discriminator's is None"),
        (
            lambda: (generator(), keras.Sequential([layers.Conv2D(4, 3, data_format="channels_first"), layers.Dense(1)])),
            "data_format='channels_first': build it with 'channels_last'",
        ),
        (lambda: (mlp.Generator(SHAPE, num_classes=5, latent_dim=4), conditional_discriminator()), "num_classes is 5"),
        (
            lambda: (generator(), keras.Sequential([keras.Input(batch_shape=(8, *SHAPE)), layers.Flatten(), layers.Dense(1)])),
            "the discriminator takes batches of exactly 8 examples",
        ),
        (lambda: (generator(), keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(1)])), "must take images"),
        (lambda: (wrapped.Generator(generator(), latent_dim=5), discriminator()), "dimension 4, but latent_dim is 5"),
        (lambda: (wrapped.Generator(generator(), num_classes=5), discriminator()), "needs a generator with a second input"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(networks, message):
    with pytest.raises(ganlib.UserError, match=f"^[^\n]*{message}[^\n]*$"):
        ganlib.GAN(*networks())


def test_the_activation_at_the_end_is_that_of_the_call():
    assert ganlib.GAN(generator(), OutOfOrder()).discriminator.image_shape == SHAPE


def test_layers_of_ones_own_need_not_be_registered(images):
    class Twice(layers.Layer):
        def call(self, values):
            return 2.0 * values

    model = keras.Sequential(
        [keras.Input((4,)), Twice(), layers.Lambda(lambda x: x / 2), layers.Dense(64), layers.Reshape(SHAPE)]
    )
    gan = compiled(model, discriminator())
    gan.fit(images, batch_size=8, verbose=0)
    assert np.isfinite(gan.generate(2)).all()


class Scaled(layers.Layer):
    """Its config has the argument or, as in many layers of one's own, lacks it."""

    def __init__(self, factor=1.0, is_complete=True, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.is_complete = factor, is_complete

    def call(self, values):
        return self.factor * values

    def get_config(self):
        return super().get_config() | ({"factor": self.factor} if self.is_complete else {})


def with_layer(layer, units):
    return keras.Sequential([keras.Input(SHAPE), layer, layers.Flatten(), layers.Dense(8), layers.Dense(units)])


MAKERS = {
    "generator": lambda layer: ganlib.GAN(
        keras.Sequential([keras.Input((4,)), *generator().layers, layer]), discriminator()
    ).networks[0],
    "classifier": lambda layer: ganlib.SupervisedClassifier(with_layer(layer, 3)).network,
    "semi-supervised": lambda layer: ganlib.SemiSupervisedGAN(generator(), with_layer(layer, 1), 3).network,
}


def normalization():
    layer = layers.Normalization(axis=-1)
    layer.adapt(np.array([[0.1], [0.5]], np.float32))
    return layer


@pytest.mark.parametrize("make", [*MAKERS.values()], ids=[*MAKERS])
@pytest.mark.parametrize("layer", [normalization, lambda: Scaled(0.5), lambda: layers.Lambda(lambda x: x / 2)])
def test_the_average_computes_the_same_as_the_network(make, layer):
    network = make(layer())
    inputs = np.random.default_rng(1).uniform(-1, 1, (2, 4) if isinstance(network, wrapped.Generator) else (2, *SHAPE))
    np.testing.assert_allclose(network(inputs), averaging.clone_network(network)(inputs), atol=1e-5)


@pytest.mark.parametrize("make", [*MAKERS.values()], ids=[*MAKERS])
def test_a_layer_whose_config_lacks_an_argument_is_refused(make):
    with pytest.raises(ganlib.UserError, match=r"computes other values: define get_config\(\) in Scaled"):
        make(Scaled(0.5, is_complete=False))


def test_micro_batches_with_batch_statistics(images):
    gan = compiled(
        generator(), discriminator(layers.BatchNormalization(), layers.Flatten(), layers.Dense(1)), accumulation_steps=2
    )
    gan.fit(images, batch_size=8, verbose=0)
    statistics = [v for v in gan.variables if v.name.startswith("moving_")]
    assert len(statistics) == 6  # of the generator, its average and the discriminator
    assert all(np.isfinite(v).all() and np.std(v) > 0 for v in statistics)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("model", ["gan", "classifier"])
def test_regularizers_of_keras_models(images, labels, model, count):
    """A step of SGD at rate r moves a weight w by -r * 2 * factor * w, as the gradient of the loss is far smaller."""
    with replicas(count).scope():
        last = layers.Dense(1 if model == "gan" else 3, kernel_regularizer=keras.regularizers.L2(1e3))
        network = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(4), last])
        sgd = keras.optimizers.SGD(1e-4)
        trained = ganlib.GAN(generator(), network) if model == "gan" else ganlib.SupervisedClassifier(network)
        trained.compile(*([adam()] if model == "gan" else []), sgd)
    before = last.get_weights()[0]
    trained.fit(images, labels, batch_size=len(images), verbose=0)
    np.testing.assert_allclose(last.get_weights()[0], 0.8 * before, atol=2e-3)


def test_half_precision(images):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        models = generator(), discriminator()
    finally:
        keras.config.set_dtype_policy("float32")
    gan = compiled(*models)
    gan.fit(images, batch_size=8, verbose=0)
    assert gan.generator.compute_dtype == gan.ema_generator.compute_dtype == "bfloat16"
    assert gan.generate(2).dtype == np.float32
