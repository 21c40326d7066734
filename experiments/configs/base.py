"""The keys that every config has, with their defaults. A config takes these and sets its own."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from ganlib.methods import METHODS


def gan():
    """The config of a GAN, for `experiments.train_gan`."""
    config = _shared()
    config.method = "gan"
    config.conditional = False  # give the labels to both networks
    config.instances = ConfigDict({  # tell both networks the features of an image whose neighbors are the real ones: IC-GAN
        "features": "",  # whose features: see ganlib.metrics.features; "" for an ordinary GAN
        "neighbors": 50,  # of each image, itself included
        "embedding_dim": 128,  # the features are mapped to so many latents more
        "kept": 1000,  # features that the generator keeps, of which it makes images where no others are given
    })  # fmt: skip
    config.weights_from = placeholder(str)  # a run of a GAN with the same networks, with whose weights this one begins
    config.body_from = placeholder(str)  # a run of a classifier or GAN, with whose features the discriminator begins
    config.frozen_layers = 0  # so many of the discriminator's first layers stay as they begin: FreezeD
    config.loss = "non_saturating"
    config.penalties = ConfigDict()  # name -> arguments, as in {"r1": {"weight": 10.0, "interval": 16}}
    config.discriminator_steps = 1
    config.top_k = 1.0  # the share of generated images, the best ones, from which the generator learns
    config.metrics = ""  # measured every evaluate_every steps, such as "fid,precision_recall"
    config.features = "in_domain"  # the network whose features are measured: see ganlib.metrics.features
    config.evaluation_samples = 5000
    config.labels_per_class = placeholder(int)  # train on so many images of each class, measured against all; unset: on all
    config.label_seed = 0  # which they are
    config.validation_per_class = 0  # as in the classifier's config, so that the same images are left out
    return config


def classifier():
    """The config of a few-label classifier, for `experiments.train_classifier`."""
    config = _shared()
    config.method = "semi_supervised"  # or "triple_gan", "pseudo_labels", "supervised"
    config.labels_per_class = placeholder(int)  # unset: all are used
    config.label_seed = 0  # which images keep their label
    config.validation_per_class = 0  # labeled images held out, to choose and to calibrate
    config.test_split = "test"  # "" where there is none: then the validation images are tested on
    config.unlabeled_dataset = placeholder(str)  # unset: the images of the dataset itself
    config.labeled_batch_size = placeholder(int)  # unset: batch_size
    config.unlabeled_weight = 1.0
    config.features_from = placeholder(str)  # a run of a GAN, or config:NAME, from whose discriminator the features start
    config.generated_from = placeholder(str)  # one of a conditional GAN, whose images join the labeled ones
    config.generated_images = 10_000
    config.freeze_features = False  # leave the features as they are and learn the last layer alone
    config.labeled_augment = placeholder(str)  # of semi_supervised: what labeled images pass; unset: augment
    config.generator_loss = "feature_matching"  # or "feature_matching_l1"
    config.regularizers = ConfigDict()  # of the classifier, such as {"conditional_entropy": {"weight": 0.1}}
    config.generator_regularizers = ConfigDict()  # such as {"pull_away": {"weight": 0.8}}
    for name, method in METHODS.items():
        if method.settings:
            config[name] = ConfigDict({key: default for key, (default, _) in method.settings.items()})
    return config


def _shared():
    config = ConfigDict()
    config.dataset = "digits"  # "digits", a TFDS name, or "folder:PATH"
    config.data_dir = placeholder(str)  # where TFDS datasets lie; unset takes TFDS_DATA_DIR
    config.classes = placeholder(str)  # only images of these, by name or number, as in "3,7"; unset: of all
    config.image_size = placeholder(int)  # unset keeps the images' own size
    config.skip_corrupt = False  # leave out unreadable files of a folder instead of failing
    config.background = "white"  # the color under transparent images of a folder
    config.batch_size = 64
    config.steps = 1000  # generator updates
    config.seed = 0
    config.networks = "dcgan"  # a module of ganlib.networks
    config.generator = ConfigDict()  # arguments of its Generator
    config.discriminator = ConfigDict()  # arguments of its Discriminator
    config.generator_optimizer = ConfigDict({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5})
    config.discriminator_optimizer = ConfigDict({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5})
    config.update_rule = "alternating"  # or "simultaneous"
    config.augment = ""  # such as "color,translation,cutout", "ada", or "shift" for classifiers
    config.ada = ConfigDict({  # read where augment is "ada"
        "categories": "blit,geometric,color",
        "probability": 0.0,  # at first; without a target all the time, and then it may be a schedule
        "target": 0.6,  # of the mean sign of the discriminator's logits of real images
        "adjustment": 500_000,  # images in which the probability may go from 0 to 1
        "interval": 4,
    })  # fmt: skip
    config.accumulation_steps = 1  # parts of a batch that go through the networks one after the other, to save memory
    config.non_finite = "stop"  # or "skip": make no update by gradients that are not finite, and go on
    config.ema_decay = 0.999
    config.precision = "float32"  # or "mixed_bfloat16", "mixed_float16"
    config.steps_per_execution = 1
    config.log_every = 50  # these four in steps; 0 = never, or at the end only
    config.checkpoint_every = 500
    config.sample_every = 500
    config.evaluate_every = 1000
    config.smoke = False  # tiny networks and 2 steps, for tests
    return config
