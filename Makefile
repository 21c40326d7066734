# make demo: trains on the embedded digits and leaves runs/demo/report.html
# make test: runs the tests except those marked slow;  make test-slow: runs those and the tutorials, MINUTES=30 starts no test later
# make test-all: runs make test, make test-slow and make test-interop
# make test-interop: runs the tests of PyTorch, JAX, Lightning and OpenCV in .venv-interop, which make interop creates
# make lint: checks the style;  make docs: builds the site in build/site
# Each makes the virtual environment .venv first if it is missing or older than the package's metadata. PYTHON=python3.12 names
# the Python that it is made with: one of another Python, or of one that is too old, is replaced.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INTEROP := .venv-interop
# pip prefers the CPU build of a version if it finds one: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make interop
INTEROP_TORCH := torch==2.13.0
INTEROP_TESTS := tests/interop tests/export/test_keras_file.py tests/export/test_onnx.py

VERSION_OF = $(or $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null),not there)
IS_NEW_ENOUGH = $(shell $(1) -c 'import $(or $(2),sys), sys; print("yes" * (sys.version_info >= (3, 10)))' 2>/dev/null)
TOO_OLD = ganlib needs Python 3.10 or newer, and $(PYTHON) is $(call VERSION_OF,$(PYTHON)): type make $(or $(MAKECMDGOALS),demo) PYTHON=python3.11
NAMED := $(if $(filter file,$(origin PYTHON)),,$(PYTHON))
OTHER := $(if $(NAMED),$(filter-out $(call VERSION_OF,$(BIN)/python),$(call VERSION_OF,$(PYTHON))))
NEW_VENV := $(or $(if $(call IS_NEW_ENOUGH,$(BIN)/python,pip),,yes),$(OTHER))

# The small CPU build of TensorFlow where there is no NVIDIA GPU and there is such a build.
ifeq ($(shell command -v nvidia-smi 2>/dev/null),)
ifeq ($(shell uname -sm),Linux x86_64)
export GANLIB_TENSORFLOW := tensorflow-cpu
endif
EXTRAS := test
else
EXTRAS := test,gpu
endif

.PHONY: demo test test-slow test-all test-interop interop lint docs install clean FORCE

demo: install
	$(BIN)/python -m experiments.demo --workdir=runs/demo

test: install
	$(BIN)/python -m pytest -n 3 --dist=worksteal --durations=10 -m 'not slow' tests

test-slow: install
	TUTORIAL_STEPS=20 $(BIN)/python -m pytest -n 3 --dist=worksteal --durations=10 -m slow $(if $(MINUTES),--minutes=$(MINUTES) -o faulthandler_timeout=600) \
	  --nbmake --ignore-glob='*.zh.ipynb' tests docs/tutorials

test-all:
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-slow
	@$(MAKE) --no-print-directory test-interop

test-interop: interop
	$(INTEROP)/bin/python -m pytest $(INTEROP_TESTS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: install
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	$(BIN)/python -m mkdocs build

install: $(VENV)/installed

$(VENV)/installed: setup.py pyproject.toml $(if $(OTHER),FORCE)
	$(if $(NEW_VENV),$(if $(call IS_NEW_ENOUGH,$(PYTHON)),,$(error $(TOO_OLD))))
	$(if $(NEW_VENV),$(PYTHON) -m venv --clear $(VENV))
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	touch $@

interop: $(INTEROP)/installed

$(INTEROP)/installed: setup.py pyproject.toml
	$(if $(call IS_NEW_ENOUGH,$(INTEROP)/bin/python,pip),,$(PYTHON) -m venv --clear $(INTEROP))
	@$(INTEROP)/bin/python -m pip install --quiet $(INTEROP_TORCH) --editable ".[test,interop]" && \
	  $(INTEROP)/bin/python -c 'import cv2, jax, lightning, torch' || \
	  { echo "make interop: cannot install PyTorch, JAX, Lightning and OpenCV; their tests did not run" >&2; exit 1; }
	touch $@

clean:
	rm -rf $(VENV) $(INTEROP) build dist *.egg-info .pytest_cache .ruff_cache
