"""Where everything stands: the network, made or found, and who may talk to whom in it."""
