"""Load: files of resources into the record — validated, resolved, resumable, and nothing lost that is wrong."""
