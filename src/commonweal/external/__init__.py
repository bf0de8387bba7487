"""The outside world, one file for each way to it."""
