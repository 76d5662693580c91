"""Whether the model still fits the world: what it is asked counted, compared with training, sent on and kept."""
