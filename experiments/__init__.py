"""Jobs: ``python -m experiments.JOB --config=... --workdir=...``. They connect the parts of ganlib and contain no logic.

`experiments.configs` has the recipes. `experiments.studies` and `experiments.benchmarks` have experiments about ganlib itself.
"""

import gc
import os

from experiments.common import earlier_commands, logs

# Set before TensorFlow is imported: its C++ log messages would bury the progress bar. Errors still raise exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Importing TensorFlow and tracing a step create millions of long-lived objects. With Python's default thresholds the garbage
# collector scans them again and again, which takes a quarter of the import time and an eighth of the time of a short job.
gc.set_threshold(100_000, 20, 20)

earlier_commands.accept()
logs.quiet()
