"""What predicts: the loaded model, its batches and whether they work."""
