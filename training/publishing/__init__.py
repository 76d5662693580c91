"""Versions: tracked, registered, promoted and published to a store."""
