"""The keys of every config, with their defaults. A config starts from one of these functions and sets its own values."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from ganlib.methods import METHODS


def gan():
    """Returns the default config of a GAN, for `experiments.train_gan`."""
    config = _shared()
    config.method = "gan"
    config.conditional = False  # condition both networks on the labels
    config.instances = ConfigDict({  # IC-GAN: condition both networks on the features of an image
        "features": "",  # feature network for instance conditioning: see ganlib.metrics.features; "" for an ordinary GAN
        "neighbors": 50,  # nearest neighbors of each image that serve as its real images, including the image itself
        "embedding_dim": 128,  # size of the generator's embedding of the features
        "projected_dim": placeholder(int),  # size to which the discriminator first maps the features; unset: it does not
        "kept": 1000,  # feature vectors stored in the generator, for sampling without given features
    })  # fmt: skip
    config.weights_from = placeholder(str)  # folder of a GAN run with the same networks, whose weights initialize this one
    config.body_from = placeholder(str)  # folder of a classifier or GAN run, whose features initialize the discriminator
    config.frozen_layers = 0  # number of first layers of the discriminator to freeze (FreezeD)
    config.loss = "non_saturating"  # adversarial loss: see ganlib.losses
    config.penalties = ConfigDict()  # discriminator or generator penalties, as in {"r1": {"weight": 10.0, "interval": 16}}
    config.discriminator_steps = 1  # discriminator updates per generator update
    config.generator_batch_factor = 1  # images in a generator update, as a multiple of those in a discriminator update
    config.mirror = False  # mirror each real image left to right with a probability of one half; unset: with few images
    config.top_k = 1.0  # fraction of generated images with the highest logits that train the generator
    config.metrics = ""  # metrics to compute every evaluate_every steps, such as "fid,precision_recall"
    config.features = "in_domain"  # feature network of the metrics: see ganlib.metrics.features
    config.evaluation_samples = 5000  # generated images per evaluation
    config.labels_per_class = placeholder(int)  # training images per class; metrics still use all images; unset: all images
    config.label_seed = 0  # seed that selects these images
    config.validation_per_class = 0  # images per class to hold out, the same ones as in a classifier's config
    return config


def classifier():
    """Returns the default config of a few-label classifier, for `experiments.train_classifier`."""
    config = _shared()
    config.method = "semi_supervised"  # training method: a file of ganlib/methods, such as "supervised" or "linear_probe"
    config.labels_per_class = placeholder(int)  # labeled images per class; unset: all
    config.label_seed = 0  # seed that selects the labeled images
    config.validation_per_class = 0  # labeled images per class to hold out, for model selection and calibration
    config.selected_step = "last"  # step of the classifier to use: "last", or "best" for the best on the held-out images
    config.test_split = "test"  # split to test on; "" tests on the validation images
    config.added_labels = placeholder(str)  # table of experiments.suggest with labels, whose images are labeled too
    config.unlabeled_dataset = placeholder(str)  # dataset of the unlabeled images; unset: the images of dataset
    config.labeled_batch_size = placeholder(int)  # batch size of the labeled images; unset: batch_size
    config.class_sampling = "as_is"  # labeled batches: "as_is", or "balanced" for equally many images of each class
    config.class_priors = ""  # frequencies of the classes: "" for those of the labels, or "estimated" on the unlabeled images
    config.class_weights = "none"  # weights of the labeled loss: "none", or "balanced" for equal weight of each class
    config.unlabeled_weight = 1.0  # weight of the loss on unlabeled images
    config.features_from = placeholder(str)  # folder of a GAN run, or config:NAME, whose discriminator provides the features
    config.generated_from = placeholder(str)  # folder of a conditional GAN run, or config:NAME, that generates labeled images
    config.generated_images = 10_000  # number of images to generate
    config.freeze_features = False  # freeze the features and train only the last layer
    config.initial_head = ""  # weights of the last layer at the start: "" for random ones, or "linear_probe"
    config.labeled_augment = placeholder(str)  # data augmentation of labeled images for semi_supervised; unset: augment
    config.generator_loss = "feature_matching"  # loss of the generator: "feature_matching" or "feature_matching_l1"
    config.regularizers = ConfigDict()  # regularizers of the classifier, such as {"conditional_entropy": {"weight": 0.1}}
    config.generator_regularizers = ConfigDict()  # regularizers of the generator, such as {"pull_away": {"weight": 0.8}}
    for name, method in METHODS.items():
        if method.settings:
            config[name] = ConfigDict({key: default for key, (default, _) in method.settings.items()})
    return config


def _shared():
    config = ConfigDict()
    config.dataset = "digits"  # training images: "digits", a TFDS name, or "folder:PATH" of a folder or zip file
    config.data_dir = placeholder(str)  # folder of TFDS datasets; unset: TFDS_DATA_DIR
    config.classes = placeholder(str)  # classes to keep, by name or number, as in "3,7"; unset: all
    config.image_size = placeholder(object)  # size of the images: 64, or 64x96 for height x width; unset: the original size
    config.skip_corrupt = False  # skip unreadable files of a folder instead of failing
    config.background = "white"  # color under the transparent pixels of images in a folder, and of the borders of fit "pad"
    config.fit = "crop"  # how images of another shape get image_size: "crop" to the center, "pad" or "stretch"
    config.label_file = placeholder(str)  # table of the labels in a folder; unset: found by its content; "none": not used
    config.file_column = placeholder(str)  # column of this table with the names of images; unset: found by its content
    config.label_column = placeholder(str)  # column of this table with the labels; unset: found by its name
    config.batch_size = 64  # images per batch; unset for a GAN: from the number of images
    config.steps = 1000  # generator updates; unset for a GAN: from the number of images
    config.seed = 0  # seed of weights, latents and batches
    config.networks = "dcgan"  # module of ganlib.networks
    config.generator = ConfigDict()  # arguments of the Generator in this module
    config.discriminator = ConfigDict()  # arguments of the Discriminator in this module
    config.generator_optimizer = ConfigDict({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5})  # name and arguments
    config.discriminator_optimizer = ConfigDict({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5})  # name and arguments
    config.update_rule = "alternating"  # order of the updates: "alternating", "generator_first", "reuse" or "simultaneous"
    config.fresh_real_images = False  # use other real images in the generator update; for a GAN, with a loss of pairs
    config.augment = ""  # data augmentation, such as "color,translation,cutout", "ada", or "shift" for classifiers
    config.ada = ConfigDict({  # settings of the augmentation "ada"
        "categories": "blit,geometric,color",  # categories of transformations
        "probability": 0.0,  # initial probability of each transformation; without a target constant, or a schedule
        "target": 0.6,  # target of the mean sign of the discriminator's logits on real images; None disables adaptation
        "adjustment": 500_000,  # images over which the probability can rise from 0 to 1
        "interval": 4,  # steps between adjustments of the probability
        "strengths": {},  # factor of the probability of a category, such as {"color": 0.5}; 1 for the others
    })  # fmt: skip
    config.accumulation_steps = 1  # parts of a batch that are processed one after the other, to save memory
    config.non_finite = "stop"  # action on non-finite gradients: "stop", or "skip" to skip the update and continue
    config.ema_decay = 0.999  # decay of the moving average of the weights
    config.precision = "float32"  # "float32", "mixed_bfloat16" or "mixed_float16"; unset for a GAN: from the machine
    config.steps_per_execution = 1  # train steps per call of the compiled function
    config.log_every = 50  # steps between log entries; 0: only at the end
    config.checkpoint_every = 500  # steps between checkpoints; 0: only at the end
    config.sample_every = 500  # steps between sample grids; 0: only at the end
    config.evaluate_every = 1000  # steps between evaluations; 0: only at the end
    config.smoke = False  # tiny networks and 2 steps, for tests
    return config
