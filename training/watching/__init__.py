"""Whether a model still fits the world that it serves: the rows that were captured, their drift, and the truth."""
