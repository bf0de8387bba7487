"""Reading the record: versions by id, history, who may see what, and where a page ended."""
