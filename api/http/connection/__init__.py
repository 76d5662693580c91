"""One connection: what is read from it and refused while it is, what is answered without a task, and its clocks."""
