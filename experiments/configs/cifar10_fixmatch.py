"""FixMatch (Sohn et al. 2020, arXiv:2001.07685) on CIFAR-10 with 400 labels per class, as its authors train it: WRN-28-2,
batches of 64 labeled and 448 unlabeled images in one pass, SGD with Nesterov momentum, and 2^20 steps.

python -m experiments.train_classifier --config=experiments/configs/cifar10_fixmatch.py --workdir=runs/cifar10_fixmatch

The strong augmentation is CTAugment, as in the authors' `fixmatch.py`. Their other one is RandAugment:
--config.pseudo_labels.strong_augment=flip,reflected_shift:0.125,randaugment. All else is theirs too: the weak augmentation, the
learning rate and its cosine, the weight decay, the threshold and the EMA.

The paper's test error in percent, over five sets of labels, each the median of the last 20 checkpoints:

| labels per class | CTAugment | RandAugment |
| --- | --- | --- |
| 4 | 11.39 ± 3.35 | 13.81 ± 3.37 |
| 25 | 5.07 ± 0.33 | 5.07 ± 0.65 |
| 400 | 4.31 ± 0.15 | 4.26 ± 0.05 |

Training requires a GPU: WRN-28-2 takes 1.3 GFLOP for the forward and backward pass of an image, and 1,048,576 steps of 960
images take 1.3e18. Not yet run.
"""

from experiments.configs import base


def get_config():
    config = base.classifier()
    config.dataset = "cifar10"
    config.method = "pseudo_labels"
    config.labels_per_class = 400
    config.networks = "wide_resnet"
    config.discriminator.update(width=32, repeat=4)
    config.labeled_batch_size = 64
    config.batch_size = 448
    config.steps = 2**20
    rate = {"fixmatch": {"start": 0.03, "share": 1.0}}
    config.discriminator_optimizer = {"name": "sgd", "learning_rate": rate, "momentum": 0.9, "nesterov": True}
    config.pseudo_labels.weight_decay = 5e-4
    config.augment = "flip,reflected_shift:0.125"
    config.pseudo_labels.strong_augment = "flip,reflected_shift:0.125,ctaugment"
    config.checkpoint_every = 2**12
    return config
