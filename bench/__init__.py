"""Benchmarks: how fast the product is beside bare programs that do the same work. `python -m bench --help`."""
