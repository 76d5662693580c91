"""XGBoost's model files: read, laid out and walked without XGBoost."""
