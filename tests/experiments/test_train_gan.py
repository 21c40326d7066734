from unittest import mock

import ganlib.data
import ganlib.evaluation
from experiments import configs, train_gan


def test_few_images_are_trained_on_and_all_are_measured_against(tmp_path, monkeypatch):
    evaluation, batches = mock.Mock(), mock.Mock(wraps=ganlib.data.batches)
    evaluation.return_value.return_value = {"fid": 1.0}
    monkeypatch.setattr(ganlib.evaluation, "Evaluation", evaluation)
    monkeypatch.setattr(ganlib.data, "batches", batches)
    config = configs.load("digits_dcgan", ["smoke=True", "labels_per_class=2", "metrics=fid"])
    train_gan.train(config, tmp_path)
    assert len(batches.call_args.args[0].images) == 2 * 10
    assert len(evaluation.call_args.args[0].images) == 1297
