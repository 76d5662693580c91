"""How requests travel: the server, its protocol, refusals, keys, logs and metrics."""
