"""What several jobs share: how they start and fail, processes, trials, and which results are out of date."""
