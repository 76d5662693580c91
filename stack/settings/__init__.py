"""The settings of a stack: what there are, what they may be, and what changing one does."""
