"""What predicts: the feature schema, the loaded model, its batches and whether they work."""
