"""Jobs: ``python -m experiments.JOB --config=... --workdir=...``. They wire ganlib together and hold no logic."""

import os

# Before TensorFlow loads: its C++ notices would bury the progress bar. Errors reach Python as exceptions anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
