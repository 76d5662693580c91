"""The pictures of a training run: what the model looks at, where it errs, and what the search tried."""
