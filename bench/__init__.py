"""Speed, measured and never asserted: `python -m bench` (or `make bench`) prints one table."""
