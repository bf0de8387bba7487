"""Writing the record: from changes to rows, and from rows to one statement."""
