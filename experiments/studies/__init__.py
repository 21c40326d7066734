"""Experiments about ganlib and its metrics: ``python -m experiments.studies.NAME``."""
