"""Where models and logs lie, and under which key."""
