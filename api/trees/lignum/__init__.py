"""Raw scores by lignum: the forest written for it, with its levels in the lines of the cache, and walked."""
