import ganlib.data
import ganlib.evaluation
from experiments import configs, train_gan


def test_few_images_are_trained_on_and_all_are_measured_against(tmp_path, monkeypatch):
    seen = {}

    class Evaluation:
        def __init__(self, source, *arguments):
            seen["measured"] = source

        def prepare(self):
            pass

        def __call__(self, model):
            return {"fid": 1.0}

    def batches(source, *arguments, **keywords):
        seen["trained"] = source
        return original(source, *arguments, **keywords)

    original = ganlib.data.batches
    monkeypatch.setattr(ganlib.evaluation, "Evaluation", Evaluation)
    monkeypatch.setattr(ganlib.data, "batches", batches)
    config = configs.load("digits_dcgan", ["smoke=True", "labels_per_class=2", "metrics=fid"])
    train_gan.train(config, tmp_path)
    assert len(seen["trained"].images) == 2 * 10
    assert len(seen["measured"].images) == 1297
