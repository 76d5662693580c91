"""Measures the service against its peers: one core, the same model, the same rows, every answer checked."""
