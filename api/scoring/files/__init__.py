"""Where a table and its scores lie, and how files are read: with Arrow alone, batch by batch."""
