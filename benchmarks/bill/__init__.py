"""What AWS bills for a stack: at rest, and for a million predictions. `python -m benchmarks.bill` writes both down."""
