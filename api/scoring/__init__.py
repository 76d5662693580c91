"""Whole tables scored offline: Parquet or CSV in, Parquet out, with the answers that the service would give."""
