# make demo: trains on the embedded digits and leaves runs/demo/report.html
# make test: runs all tests, the tutorials in few steps among them;  make lint: checks the style;  make docs: builds the site in build/site
# Each makes the virtual environment .venv first if it is missing or older than the package's metadata.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The small CPU build of TensorFlow where there is no NVIDIA GPU and there is such a build.
ifeq ($(shell command -v nvidia-smi 2>/dev/null),)
ifeq ($(shell uname -sm),Linux x86_64)
export GANLIB_TENSORFLOW := tensorflow-cpu
endif
EXTRAS := test
else
EXTRAS := test,gpu
endif

.PHONY: demo test lint docs install clean

demo: install
	$(BIN)/python -m experiments.demo --workdir=runs/demo

test: install
	TUTORIAL_STEPS=20 $(BIN)/python -m pytest -n 3 --dist=worksteal --durations=10 --nbmake --ignore-glob='*.zh.ipynb' tests docs/tutorials

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: install
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	$(BIN)/python -m mkdocs build

install: $(VENV)/installed

$(VENV)/installed: setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
