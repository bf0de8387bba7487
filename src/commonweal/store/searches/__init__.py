"""Searching the record: from a query to one statement, held to the reach on every table it visits."""
