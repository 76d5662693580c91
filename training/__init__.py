"""From a table to a published model: train, judge, track, register, publish."""
