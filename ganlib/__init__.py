"""ganlib: image generation with GANs and classification with semi-supervised GANs, on Keras 3 and TensorFlow.

Public names are imported on first use, so that ``import ganlib`` does not import TensorFlow. `ganlib.registration` lets Keras
find the classes when it loads a saved model.
"""

import importlib

from ganlib import registration

__version__ = "0.2.0"

_MODULES = (
    "augment", "data", "diagnostics", "evaluation", "export", "interop", "layers", "losses", "metrics", "models", "networks",
    "penalties", "plots", "regularizers", "report", "runs", "sampling", "serving", "training",
)  # fmt: skip
_NAMES = {
    "BadGAN": "ganlib.models",
    "Classifier": "ganlib.networks",
    "DensityModel": "ganlib.models",
    "GAN": "ganlib.models",
    "LinearProbe": "ganlib.models",
    "PseudoLabelClassifier": "ganlib.models",
    "SemiSupervisedGAN": "ganlib.models",
    "SupervisedClassifier": "ganlib.models",
    "TripleGAN": "ganlib.models",
    "UserError": "ganlib.errors",
    "load": "ganlib.runs",
}
__all__ = sorted([*_MODULES, *_NAMES])


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"ganlib.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'ganlib' has no attribute {name!r}")


def __dir__():
    return [*__all__, "__version__"]


registration.when_keras_is_imported()
