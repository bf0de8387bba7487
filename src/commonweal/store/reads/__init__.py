"""Reading the record: versions by id, what holds about whom they are, who may see what, and where a page ended."""
