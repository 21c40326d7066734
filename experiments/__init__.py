"""Jobs: ``python -m experiments.JOB --config=... --workdir=...``. They wire ganlib together and hold no logic.

`experiments.configs` has the recipes, `experiments.studies` and `experiments.benchmarks` what was found out about ganlib.
"""

import gc
import os

from experiments.common import earlier_commands, logs

# Before TensorFlow loads: its C++ notices would bury the progress bar. Errors reach Python as exceptions anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Importing TensorFlow and tracing a step make millions of objects that stay. With Python's own thresholds the garbage collector
# goes through them again and again, which takes a quarter of the import's time, and an eighth of a short job's.
gc.set_threshold(100_000, 20, 20)

earlier_commands.accept()
logs.quiet()
