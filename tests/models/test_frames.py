"""Few function calls lie between a job and the loss, so that the code is easy to follow."""

import pathlib
import traceback

import pytest

import experiments
import ganlib
from experiments import configs, train_classifier, train_gan
from ganlib import models

ROOTS = [str(pathlib.Path(package.__path__[0])) for package in (ganlib, experiments)]


@pytest.mark.parametrize(
    ("config", "train", "model", "loss"),
    [
        ("digits_dcgan", train_gan.train, models.GAN, "discriminator_loss"),
        ("digits_dcgan", train_gan.train, models.GAN, "generator_loss"),
        ("digits_sgan", train_classifier.train, models.SemiSupervisedGAN, "classifier_loss"),
        ("mnist_cnn", train_classifier.train, models.SupervisedClassifier, "classifier_loss"),
    ],
)
def test_loss_is_at_most_ten_frames_below_main_and_four_below_train_step(config, train, model, loss, tmp_path, monkeypatch):
    stacks, original = [], getattr(model, loss)

    def recording(self, *arguments):
        stacks.append(traceback.extract_stack())
        return original(self, *arguments)

    monkeypatch.setattr(model, loss, recording)
    train(configs.load(config, ["smoke=True", "dataset=digits", "image_size=8", "labels_per_class=5"]), tmp_path)
    names = ["main", *(frame.name for frame in stacks[0] if frame.filename.startswith(tuple(ROOTS))), loss]
    assert names[1] == "train"
    assert len(names) <= 10, names
    assert len(names[names.index("train_step") :]) <= 4, names
