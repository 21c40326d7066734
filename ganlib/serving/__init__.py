"""Serves an exported network over TensorFlow Serving's REST API: see `experiments.serve`."""
