"""Benchmarks of train steps, metrics and the service: ``python -m experiments.benchmarks.NAME``."""
