"""Code that several jobs share: start-up and errors, processes, trials, and the detection of outdated results."""
