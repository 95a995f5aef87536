"""Every budget as a command: `python -m benchmarks.NAME` prints a figure beside its reference."""
