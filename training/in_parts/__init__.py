"""Training on a table in parts: nobody ever holds all of its rows."""
