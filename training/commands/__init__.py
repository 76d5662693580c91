"""The commands, a module each: what they ask for and what they say. The work is done in the rooms beside."""
