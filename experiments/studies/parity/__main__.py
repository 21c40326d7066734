"""Compares ganlib with numbers that the authors' codes computed, and prints a table of the largest relative differences.

python -m experiments.studies.parity
"""

from experiments.common import job
from experiments.studies.parity import comparison, comparisons


def main():
    print(f"{'file':24}{'arrays':28}{'largest relative difference':>28}{'tolerance':>12}")
    for name, module in comparisons().items():
        if name in comparison.available():
            for family, value in module.differences(comparison.ReferenceFile(name)).items():
                tolerance = getattr(module, "TOLERANCES", {}).get(family, comparison.TOLERANCE)
                print(f"{name:24}{family:28}{value:28.1e}{tolerance:12.0e}", flush=True)


if __name__ == "__main__":
    job.start(main)
