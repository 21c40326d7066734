"""How fast steps, measures and the service are: ``python -m experiments.benchmarks.NAME``."""
