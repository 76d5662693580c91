"""From the California Housing dataset to a published model: train, judge, track, register, publish."""
