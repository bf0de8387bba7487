"""The record on PostgreSQL, and the same contract in memory."""
