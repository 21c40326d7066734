"""An exported network as a service that speaks TensorFlow Serving's REST: see `experiments.serve`."""
