"""Experiments about ganlib and its measures: ``python -m experiments.studies.NAME``."""
